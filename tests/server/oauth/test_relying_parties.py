"""Registering relying parties: who may, what can be one, and what is taken back with it."""

from __future__ import annotations

import pytest

from passless.actions import relying_parties
from passless.actions.who import BadReason, NotAnOperator, OperatorProofNeeded
from passless.directories.local import LocalDirectory
from passless.domain.errors import PasslessError
from passless.domain.party_changes import RelyingPartyChange
from passless.domain.relying_parties import BadRedirectUri, BadRelyingParty, Client, NewRelyingParty, check_redirect_uri
from passless.domain.secret import Secret
from passless.ports.directory import Actor, Operator
from tests.builders import NOW
from tests.server.oauth.test_tokens import basic_of, looked_at, token_for
from tests.server.oauth.world import WEB_CALLBACK, World

GOOD = NewRelyingParty(name="files", redirect_uris=(WEB_CALLBACK,))


class TestWhoMay:
    """must hold 9: only an operator over all, or whoever opened the store itself."""

    def test_a_person_may_not(self, world: World) -> None:
        actor = Actor(token=world.account().token)
        for act in (
            lambda: world.site.directory.relying_parties(actor),
            lambda: world.site.directory.add_relying_party(actor, GOOD),
            lambda: world.site.directory.remove_relying_party(actor, "files"),
        ):
            with pytest.raises(NotAnOperator):
                act()

    def test_nobody_at_all_may_not(self, world: World) -> None:
        with pytest.raises(NotAnOperator):
            world.site.directory.add_relying_party(Actor(), GOOD)

    def test_an_operator_over_some_may_not(self, world: World) -> None:
        ada = world.account()
        world.make_operator(ada.account_id, over=("staff",))
        with pytest.raises(NotAnOperator):
            world.site.directory.add_relying_party(Actor(token=ada.token), GOOD)

    def test_who_may_not_and_tries_to_is_in_the_trail(self, world: World) -> None:
        """must hold 8: on their own account, without what was named."""
        ada = world.account()
        world.make_operator(ada.account_id, over=("staff",))
        world.register("mail")
        actor, directory = Actor(token=ada.token), world.site.directory
        asked = {
            "add-relying-party": lambda: directory.add_relying_party(actor, GOOD),
            "change-relying-party": lambda: directory.change_relying_party(actor, "mail", RelyingPartyChange(name="x")),
            "new-relying-party-secret": lambda: directory.new_relying_party_secret(actor, "mail"),
            "remove-relying-party": lambda: directory.remove_relying_party(actor, "mail"),
        }
        for ask in asked.values():
            with pytest.raises(NotAnOperator):
                ask()
        told = [one for one in world.place.store.events() if one.event == "act-as-operator"]
        assert [(one.actor, one.outcome, one.details["asked"]) for one in told] == [("ada", "refused", one) for one in asked]

    def test_an_operator_over_all_may_with_a_fresh_proof(self, world: World) -> None:
        """must hold 6."""
        ada = world.account()
        world.make_operator(ada.account_id)
        actor = Actor(token=ada.token, operator=Operator(reason="the new webmail", ticket=""))
        for silent in (Actor(token=ada.token), Actor(token=ada.token, operator=Operator(reason=" ", ticket=""))):
            with pytest.raises(BadReason):
                world.site.directory.add_relying_party(silent, GOOD)
        made = world.site.directory.add_relying_party(actor, GOOD)
        assert [one.id for one in world.site.directory.relying_parties(actor)] == [made.id]
        world.place.clock.move(minutes=11)
        with pytest.raises(OperatorProofNeeded):
            world.site.directory.remove_relying_party(actor, "files")
        events = [(one.event, one.actor, one.details) for one in world.place.store.events() if "relying" in one.event]
        details = {"relying-party": made.id, "name": "files", "reason": "the new webmail"}
        assert events == [("add-relying-party", "ada", details)]


class TestWhatCanBeOne:
    @pytest.mark.parametrize(
        ("wish", "code"),
        [
            (NewRelyingParty(name=""), "bad-name"),
            (NewRelyingParty(name="x\u202ey"), "bad-name"),
            (NewRelyingParty(name="MAIL"), "name-in-use"),
            (NewRelyingParty(name="passless-cli"), "name-in-use"),
            (NewRelyingParty(name="x", kind="pam", redirect_uris=("https://x.example/",)), "bad-relying-party"),
            (NewRelyingParty(name="x", kind="teapot"), "bad-relying-party"),
            (NewRelyingParty(name="x", redirect_uris=("http://mail.example/",)), "bad-redirect-uri"),
            (NewRelyingParty(name="x", redirect_uris=tuple(f"https://a.example/{n}" for n in range(21))), "bad-redirect-uri"),
            (NewRelyingParty(name="x", scopes=("two words",)), "bad-scope"),
            (NewRelyingParty(name="x", public=True, introspects=True), "bad-relying-party"),
        ],
        ids=str,
    )
    def test_what_cannot_is_refused_and_nothing_is_kept(self, world: World, wish: NewRelyingParty, code: str) -> None:
        world.register()
        world.place.change(on_host=True)
        with pytest.raises(PasslessError) as refused:
            LocalDirectory(world.place.parts).add_relying_party(Actor(), wish)
        assert refused.value.code == code
        assert len(list(relying_parties.clients(world.place.parts))) == 1

    @pytest.mark.parametrize(
        "uri",
        [
            "https://mail.example/signed-in",
            "https://mail.example",
            "https://mail.example:8443/a/b?c=d",
            "http://127.0.0.1/callback",
            "http://127.0.0.1:8080/callback",
            "http://[::1]/callback",
        ],
    )
    def test_people_may_be_sent_there(self, uri: str) -> None:
        assert check_redirect_uri(uri, public=False) == uri

    @pytest.mark.parametrize(
        "uri",
        [
            "",
            "/callback",
            "mail.example/callback",
            "http://mail.example/callback",
            "http://localhost/callback",
            "https://user@mail.example/",
            "https://user:secret@mail.example/",
            "https://mail.example/#part",
            "https://*.mail.example/",
            "https://mail.example/*",
            "https://mail.example/../x",
            "https://mail.example/%2e%2E/x",
            "https://mail.example/a%2fb",
            "https://mail.example\\@evil.example/",
            "https://mail.example /",
            "https://mail.example/\n",
            "https://mäil.example/",
            "https://MAIL.example/",
            "https://-mail.example/",
            "https://mail..example/",
            "https://mail.example:0/",
            "javascript:alert(1)",
            "data:text/html,x",
            "file:///etc/passwd",
            "com.example.app:/callback",
            "https://" + "a" * 2000 + ".example/",
        ],
    )
    def test_nobody_may_be_sent_there(self, uri: str) -> None:
        with pytest.raises(BadRedirectUri):
            check_redirect_uri(uri, public=False)

    def test_a_program_on_a_phone_may_have_a_scheme_of_its_own(self) -> None:
        assert check_redirect_uri("com.example.app:/callback", public=True)
        with pytest.raises(BadRedirectUri):
            check_redirect_uri("myapp:/callback", public=True)

    def test_the_port_is_free_for_public_programs_on_the_loopback_alone(self) -> None:
        public = Client(id="x", name="x", created_at=NOW, redirect_uris=("http://127.0.0.1/a", "https://a.example/a"))
        secret = Client(id="x", name="x", created_at=NOW, redirect_uris=("http://127.0.0.1/a",), secret_hash=b"x")
        assert public.may_be_sent_to("http://127.0.0.1:1234/a")
        assert not public.may_be_sent_to("http://127.0.0.1:1234/b")
        assert not public.may_be_sent_to("http://[::1]:1234/a")
        assert not public.may_be_sent_to("https://a.example:1234/a")
        assert not secret.may_be_sent_to("http://127.0.0.1:1234/a")


class TestRemoving:
    def test_its_tokens_end_and_what_people_agreed_to_is_forgotten(self, world: World) -> None:
        """must hold 7."""
        mail, api, ada = world.register(), world.register("api", introspects=True), world.account()
        token = token_for(world, mail, ada)
        assert looked_at(world, api, token)["active"]
        world.place.change(on_host=True)
        ended = LocalDirectory(world.place.parts).remove_relying_party(Actor(), "MAIL")
        assert len(ended.ended) == 1
        assert looked_at(world, api, token) == {"active": False}
        assert not list(world.place.store.records(relying_parties.CONSENTS))
        kinds = [one.kind for one in world.site.directory.sessions(Actor(token=ada.token), "ada")]
        assert kinds == ["direct"]

    def test_a_code_of_it_is_good_for_nothing(self, world: World) -> None:
        mail = world.register("mail", public=True)
        code = world.browser(world.account()).agree(client_id=mail.id, redirect_uri=WEB_CALLBACK)["code"]
        world.place.change(on_host=True)
        LocalDirectory(world.place.parts).remove_relying_party(Actor(), mail.id)
        answer = world.program().exchange(code, client_id=mail.id, redirect_uri=WEB_CALLBACK)
        assert answer.json()["error"] == "invalid_client"

    def test_what_is_not_there_is_said(self, world: World) -> None:
        world.place.change(on_host=True)
        with pytest.raises(relying_parties.NoSuchRelyingParty):
            LocalDirectory(world.place.parts).remove_relying_party(Actor(), "nothing")


class TestNewSecrets:
    def test_the_one_before_is_refused_and_all_else_stays(self, world: World) -> None:
        mail, api, ada = world.register(), world.register("api", introspects=True), world.account()
        token = token_for(world, mail, ada)
        world.place.change(on_host=True)
        made = LocalDirectory(world.place.parts).new_relying_party_secret(Actor(), "API")
        assert made.secret is not None
        world.place.keep_secret(made.secret)
        assert (made.id, made.name, made.introspects, made.created_at) == (api.id, "api", True, api.created_at)
        refused = world.program().post("/oauth/introspect", basic=basic_of(api), token=token)
        assert (refused.status_code, refused.json()["error"]) == (401, "invalid_client")
        assert looked_at(world, made, token)["active"]
        LocalDirectory(world.place.parts).new_relying_party_secret(Actor(), "mail")
        assert looked_at(world, made, token)["active"], "what was given to it stays"
        assert [one.key for one in world.place.store.records(relying_parties.CONSENTS)] == [f"{mail.id}/{ada.account_id}"]

    def test_an_operator_gives_it_over_http_and_says_why(self, world: World) -> None:
        """must hold 6, 9."""
        mail, ada = world.register(), world.account()
        where = f"/api/v1/relying-parties/{mail.id}/secret"
        said = {"Authorization": f"Bearer {ada.token.reveal()}", "Passless-Reason": "it was in a log"}
        assert world.http().post(where).status_code in (401, 403)
        assert world.http().post(where, headers=said).status_code == 403
        world.make_operator(ada.account_id)
        answer = world.http().post(where, headers=said)
        assert (answer.status_code, answer.json()["id"]) == (201, mail.id)
        secret = Secret(answer.json()["secret"])
        world.place.keep_secret(secret)
        found = relying_parties.find_named(world.place.parts, "mail")
        assert found is not None
        assert relying_parties.is_secret(found, secret)
        (event,) = (one for one in world.place.store.events() if one.event == "new-relying-party-secret")
        details = {"relying-party": mail.id, "name": "mail", "reason": "it was in a log"}
        assert (event.actor, event.details) == ("ada", details)

    def test_what_is_public_has_none(self, world: World) -> None:
        world.register("app", public=True)
        world.place.change(on_host=True)
        with pytest.raises(BadRelyingParty):
            LocalDirectory(world.place.parts).new_relying_party_secret(Actor(), "app")


def test_a_secret_is_256_bits_shown_once_and_kept_as_a_hash(world: World) -> None:
    mail = world.register()
    assert mail.secret is not None
    assert mail.secret.reveal().startswith("plc_")
    assert len(mail.secret) == 4 + 43
    assert mail.secret.encode() not in world.place.everything_kept()
    assert "plc_" not in repr(mail)
    client = next(relying_parties.clients(world.place.parts))
    assert relying_parties.is_secret(client, mail.secret)
    assert not relying_parties.is_secret(client, Secret("plc_"))
    public = world.register("app", public=True)
    assert public.secret is None


def test_an_operator_over_all_registers_one_over_http(world: World) -> None:
    ada = world.account()
    http = world.program().http
    headers = {"Authorization": f"Bearer {ada.token.reveal()}", "Passless-Reason": "the%20new%20webmail"}
    body = {"name": "files", "kind": "oauth", "redirect_uris": [WEB_CALLBACK], "scopes": ["read"]}
    refused = http.post("/api/v1/relying-parties", json=body, headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (403, "not-an-operator")
    world.make_operator(ada.account_id)
    made = http.post("/api/v1/relying-parties", json=body, headers=headers)
    assert made.status_code == 201
    assert made.json()["secret"].startswith("plc_")
    listed = http.get("/api/v1/relying-parties", headers=headers).json()["items"]
    assert [one["name"] for one in listed] == ["files"]
    assert "secret" not in listed[0]
    assert http.post("/api/v1/relying-parties", json=body | {"kind": "pam", "name": "x"}, headers=headers).status_code == 400
    gone = http.delete(f"/api/v1/relying-parties/{listed[0]['id']}", headers=headers)
    assert gone.status_code == 200
    assert http.delete(f"/api/v1/relying-parties/{listed[0]['id']}", headers=headers).status_code == 404
