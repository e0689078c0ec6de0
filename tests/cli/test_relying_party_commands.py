"""`passless relying-party`: programs that sign people in, registered on a store."""

from __future__ import annotations

import pytest

from tests.cli.running import Passless

URI = "https://mail.example/signed-in"
ADD = ("relying-party", "add", "Webmail", "--kind", "oauth", "--redirect-uri", URI)


def test_a_relying_party_is_added_and_its_secret_shown_once(anna: Passless) -> None:
    made = anna.json(*ADD, "--scope", "read,write")
    assert made["applied"] is True
    assert (made["name"], made["kind"], made["public"], made["scopes"]) == ("Webmail", "oauth", False, ["read", "write"])
    assert made["secret"].startswith("plc_")
    assert made["shown_once"] is True
    listed = anna.json("relying-party", "list")
    assert [one["id"] for one in listed] == [made["id"]]
    assert "secret" not in listed[0]
    assert anna.json("relying-party", "show", "webmail") == listed[0]


def test_a_public_one_has_no_secret(anna: Passless) -> None:
    made = anna.json("relying-party", "add", "App", "--kind", "oauth", "--public", "--redirect-uri", "com.example.app:/back")
    assert made["secret"] is None


def test_a_dry_run_registers_nothing(anna: Passless) -> None:
    plan = anna.json(*ADD, "--dry-run")
    assert (plan["applied"], plan["plan"]["change"]["type"]) == (False, "add-relying-party")
    assert anna.json("relying-party", "list") == []


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--kind", "teapot"), "bad-relying-party"),
        (("--kind", "oauth", "--redirect-uri", "http://mail.example/"), "bad-redirect-uri"),
        (("--kind", "oauth", "--redirect-uri", "https://mail.example/#x"), "bad-redirect-uri"),
        (("--kind", "oauth", "--scope", "Ü"), "bad-scope"),
        (("--kind", "oauth", "--public", "--introspects"), "bad-relying-party"),
    ],
)
def test_what_cannot_be_one_is_wrong_use(anna: Passless, arguments: tuple[str, ...], code: str) -> None:
    assert anna.json("relying-party", "add", "x", *arguments, status=2)["code"] == code
    assert anna.json("relying-party", "list") == []


def test_a_name_is_given_once(anna: Passless) -> None:
    anna.json(*ADD)
    assert anna.json(*ADD, status=2)["code"] == "name-in-use"


def test_one_is_removed_when_that_is_meant(anna: Passless) -> None:
    anna.json(*ADD)
    assert anna.json("relying-party", "remove", "Webmail", status=2)["code"] == "confirmation-needed"
    assert anna.json("relying-party", "remove", "Webmail", "--dry-run")["applied"] is False
    assert anna.json("relying-party", "remove", "Webmail", "--yes")["applied"] is True
    assert anna.json("relying-party", "show", "Webmail", status=3)["code"] == "no-such-relying-party"


def test_one_gets_a_new_secret_and_stays_what_it_is(anna: Passless) -> None:
    made = anna.json(*ADD)
    assert anna.json("relying-party", "new-secret", "Webmail", status=2)["code"] == "confirmation-needed"
    assert anna.json("relying-party", "new-secret", "Webmail", "--dry-run")["applied"] is False
    renewed = anna.json("relying-party", "new-secret", "Webmail", "--yes")
    assert (renewed["applied"], renewed["id"], renewed["shown_once"]) == (True, made["id"], True)
    assert renewed["secret"].startswith("plc_")
    assert renewed["secret"] != made["secret"]
    assert renewed["then"] == ["give it to the program in the place of the one before; until then it signs nobody in"]
    assert anna.json("relying-party", "new-secret", "nothing", "--yes", status=3)["code"] == "no-such-relying-party"
    for secret, status in ((made["secret"], 5), (renewed["secret"], 0)):
        assert anna("relying-party", "test", "Webmail", "--secret-file", "-", typed=secret).status == status


class TestSetting:
    def test_it_is_planned_meant_and_done(self, anna: Passless) -> None:
        made = anna.json(*ADD)
        more = ("--add-redirect-uri", "https://mail.example/b", "--require", "two-factors", "--name", "Post")
        plan = anna.json("relying-party", "set", "Webmail", *more, "--dry-run")
        assert plan["applied"] is False
        assert set(plan["plan"]["change"]["changes"]) == {"name", "redirect_uris", "requires"}
        assert anna.json("relying-party", "set", "Webmail", *more, status=2)["code"] == "confirmation-needed"
        done = anna.json("relying-party", "set", "Webmail", *more, "--yes")
        assert (done["applied"], done["plan"]) == (True, plan["plan"])
        assert (done["id"], done["name"], done["requires"]) == (made["id"], "Post", "two-factors")
        assert done["then"] == [
            f"give the program its address to come back to, letter by letter:\n{URI}\nhttps://mail.example/b"
        ]
        secret = anna("relying-party", "test", "Post", "--secret-file", "-", typed=made["secret"])
        assert secret.status == 0, "its secret is what it was"

    def test_what_is_left_out_stays_and_an_empty_word_is_none(self, anna: Passless) -> None:
        more = ("--after-sign-out", URI, "--told-at", URI, "--sign-with", "ES256", "--scope", "read")
        made = anna.json("relying-party", "add", "Wiki", "--kind", "oidc", "--redirect-uri", URI, *more)
        done = anna.json("relying-party", "set", "Wiki", "--told-at", "", "--after-sign-out", "", "--yes")
        assert (done["told_of_endings_at"], done["after_sign_out"]) == ("", [])
        kept = ("id", "name", "kind", "redirect_uris", "scopes", "signed_with", "requires", "created_at")
        assert {name: done[name] for name in kept} == {name: made[name] for name in kept}

    def test_what_is_like_that_already_is_said_and_asked_nothing(self, anna: Passless) -> None:
        anna.json(*ADD)
        done = anna.json("relying-party", "set", "Webmail", "--require", "any")
        assert [one["code"] for one in done["plan"]["effects"]] == ["nothing-changes"]

    @pytest.mark.parametrize(
        ("more", "status", "code"),
        [
            ((), 2, "bad-relying-party"),
            (("--redirect-uri", ""), 2, "bad-redirect-uri"),
            (("--remove-redirect-uri", "https://other.example/"), 2, "bad-redirect-uri"),
            (("--add-redirect-uri", "http://mail.example/"), 2, "bad-redirect-uri"),
            (("--require", "love"), 2, "bad-relying-party"),
            (("--service", "imap"), 2, "bad-relying-party"),
            (("--sign-with", "ES256"), 2, "bad-relying-party"),
            (("--name", ""), 2, "bad-name"),
        ],
    )
    def test_what_cannot_be_is_wrong_use(self, anna: Passless, more: tuple[str, ...], status: int, code: str) -> None:
        made = anna.json(*ADD)
        for last in ("--dry-run", "--yes"):
            assert anna.json("relying-party", "set", "Webmail", *more, last, status=status)["code"] == code
        assert anna.json("relying-party", "list") == [anna.json("relying-party", "show", made["id"])]
        assert anna.json("relying-party", "show", "Webmail")["redirect_uris"] == [URI]

    def test_whose_people_are_its_users_is_said_changed_and_taken_back(self, anna: Passless) -> None:
        made = anna.json(
            "relying-party", "add", "host", "--kind", "ssh", "--elsewhere", "--group", "staff", "--group", "guests"
        )
        assert made["groups"] == ["staff", "guests"]
        assert not any("names of that host's users" in one for one in made["then"])
        shown = anna("relying-party", "show", "host").stdout
        assert "its users are in" in shown
        plan = anna.json("relying-party", "set", "host", "--group", "Staff", "--dry-run")["plan"]
        assert [one["code"] for one in plan["effects"]] == ["relying-party-changed", "fewer-users"]
        done = anna.json("relying-party", "set", "host", "--group", "", "--yes")
        assert done["groups"] == []
        assert [one["code"] for one in done["plan"]["effects"]] == ["relying-party-changed"]
        for group in ("a b?", "x" * 200):
            assert anna.json("relying-party", "set", "host", "--group", group, "--yes", status=2)["code"] == "bad-name"
        assert anna.json(*ADD, "--group", "staff", status=2)["code"] == "bad-relying-party"

    def test_a_host_that_is_called_otherwise_has_to_be_served_and_watched_so(self, anna: Passless) -> None:
        anna.json("relying-party", "add", "host", "--kind", "pam", "--elsewhere")
        then = "\n".join(anna.json("relying-party", "set", "host", "--name", "new host", "--yes")["then"])
        assert "passless relying-party configure 'new host'" in then
        assert "passless serve … --socket 'new host'=ADDRESS" in then
        assert "passless relying-party watch 'new host'" in then


class TestTesting:
    def test_it_says_what_is_in_order(self, anna: Passless) -> None:
        made = anna.json(*ADD)
        found = anna.json("relying-party", "test", "Webmail", "--secret-file", "-", typed=made["secret"])
        assert [(one["check"], one["ok"]) for one in found] == [
            ("registered", True),
            ("address", True),
            ("server", True),
            ("secret", True),
        ]

    def test_a_wrong_secret_is_a_wrong_proof(self, anna: Passless) -> None:
        anna.json(*ADD)
        result = anna("relying-party", "test", "Webmail", "--secret-file", "-", "--json", typed="plc_wrong")
        assert (result.status, result.error["code"]) == (5, "wrong-secret")
        assert "plc_wrong" not in result.stdout + result.stderr

    def test_a_server_that_is_not_there_is_not_reachable(self, anna: Passless) -> None:
        anna.json(*ADD)
        result = anna("relying-party", "test", "Webmail", "--server", "http://127.0.0.1:1", "--json")
        assert (result.status, result.error["code"]) == (6, "relying-party-broken")
        assert [one["ok"] for one in result.json if one["check"] == "server"] == [False]


def test_people_see_what_scripts_see(anna: Passless) -> None:
    shown = anna(*ADD).stdout
    assert "plc_" in shown
    assert URI in shown
    listed = anna("relying-party", "list").stdout
    assert "Webmail" in listed
    assert "plc_" not in listed
    assert "with a secret" in anna("relying-party", "show", "Webmail").stdout


def test_one_of_openid_connect_says_how_people_sign_in_and_where_it_is_told(anna: Passless) -> None:
    more = ("--require", "phishing-resistant", "--after-sign-out", URI, "--told-at", URI, "--sign-with", "ES256")
    made = anna.json("relying-party", "add", "Wiki", "--kind", "oidc", "--redirect-uri", URI, *more)
    assert (made["requires"], made["signed_with"], made["told_of_endings_at"]) == ("phishing-resistant", "ES256", URI)
    for wrong in (
        ("--sign-with", "none"),
        ("--sign-with", "HS256"),
        ("--told-at", "http://wiki.example/told"),
        ("--require", "love"),
    ):
        anna.json("relying-party", "add", "x", "--kind", "oidc", "--redirect-uri", URI, *wrong, status=2)
    assert (
        anna.json("relying-party", "add", "x", "--kind", "oauth", "--sign-with", "ES256", status=2)["code"]
        == "bad-relying-party"
    )


def test_the_signing_keys_are_shown_and_replaced(anna: Passless) -> None:
    """Must hold 1: nothing of their private halves is shown."""
    assert anna.json("relying-party", "keys") == []
    assert anna.json("relying-party", "keys", "--at-once", status=2)["code"] == "wrong-use"
    assert anna.json("relying-party", "keys", "--rotate", "--dry-run") == []
    first = anna.json("relying-party", "keys", "--rotate")
    assert [(one["algorithm"], one["state"]) for one in first] == [("RS256", "signing"), ("ES256", "signing")]
    second = anna.json("relying-party", "keys", "--rotate")
    assert [one["state"] for one in second] == ["signing", "next"] * 2
    assert second[0]["published_until"] > second[1]["signs_from"]
    assert anna.json("relying-party", "keys", "--rotate", "--at-once", status=2)["code"] == "confirmation-needed"
    third = anna.json("relying-party", "keys", "--rotate", "--at-once", "--yes")
    assert [one["state"] for one in third] == ["signing"] * 2
    assert not {one["id"] for one in second} & {one["id"] for one in third}
    assert set(third[0]) == {"id", "algorithm", "state", "made_at", "signs_from", "published_until", "readable"}


def test_a_lost_vault_key_is_told_and_nothing_is_replaced(anna: Passless) -> None:
    """Status 6 for who asks for new keys; what there is is shown, and said to be unreadable."""
    before = anna.json("relying-party", "keys", "--rotate")
    assert [one["readable"] for one in before] == [True, True]
    (key,) = (anna.home / "data" / "vault").glob("*.key")
    key.rename(anna.home / "elsewhere")
    for how in (("--rotate",), ("--rotate", "--at-once", "--yes")):
        refused = anna("relying-party", "keys", *how, "--json")
        assert (refused.status, refused.error["code"]) == (6, "vault-key-missing")
    shown = anna.json("relying-party", "keys")
    assert [(one["id"], one["readable"]) for one in shown] == [(one["id"], False) for one in before]
    assert not list((anna.home / "data" / "vault").glob("*.key"))
    (anna.home / "elsewhere").rename(key)
    assert [one["readable"] for one in anna.json("relying-party", "keys")] == [True, True]
