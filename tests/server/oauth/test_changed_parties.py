"""Changing a relying party: who may, and what ends of what was given under looser rules (must hold 7, 9)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from passless.actions import relying_parties
from passless.actions.endings import between
from passless.actions.who import NotAnOperator, OperatorProofNeeded
from passless.directories.local import LocalDirectory
from passless.domain.account import AccountId
from passless.domain.endings import Ending
from passless.domain.errors import PasslessError
from passless.domain.party_changes import RelyingPartyChange
from passless.domain.relying_parties import BadRedirectUri
from passless.domain.views import ChangedRelyingParty
from passless.ports.directory import Actor, Operator
from passless.programs.ending import ends_of
from passless.server.oauth import giving
from passless.server.openid import given
from tests.server.oauth.test_tokens import basic_of, looked_at, token_for
from tests.server.oauth.world import WEB_CALLBACK, World, carried
from tests.server.openid.relying import Relying

OTHER = "https://other.example/signed-in"
INSIDE = "https://10.0.0.7/told"


def endings_of(world: World) -> list[Ending]:
    """Return what ended by now for whoever follows the trail."""
    parts = world.place.parts
    return list(between(parts.store, parts.now() - timedelta(hours=1)))


def changed(world: World, words: str = "mail", **more: Any) -> ChangedRelyingParty:
    """Change one on the host."""
    world.place.change(on_host=True)
    made = LocalDirectory(world.place.parts).change_relying_party(Actor(), words, RelyingPartyChange(**more)).made
    world.place.change(on_host=False)
    assert isinstance(made, ChangedRelyingParty)
    return made


class TestWhoMay:
    """must hold 9: only an operator over all, with a fresh proof and a reason, or whoever opened the store itself."""

    def test_nobody_else_may_not_even_see_a_plan(self, world: World) -> None:
        world.register()
        ada, bob = world.account(), world.account("bob")
        world.make_operator(bob.account_id, over=("staff",))
        change = RelyingPartyChange(name="files")
        for actor in (Actor(), Actor(token=ada.token), Actor(token=bob.token)):
            for act in (world.site.directory.plan_relying_party, world.site.directory.change_relying_party):
                with pytest.raises(NotAnOperator):
                    act(actor, "mail", change)

    def test_a_plan_needs_no_fresh_proof_and_a_change_does(self, world: World) -> None:
        """must hold 6."""
        world.register()
        ada = world.account()
        world.make_operator(ada.account_id)
        actor = Actor(token=ada.token, operator=Operator(reason="a new name", ticket=""))
        world.place.clock.move(minutes=11)
        change = RelyingPartyChange(name="files")
        assert world.site.directory.plan_relying_party(actor, "mail", change).accepted
        with pytest.raises(OperatorProofNeeded):
            world.site.directory.change_relying_party(actor, "mail", change)
        assert relying_parties.find_named(world.place.parts, "mail") is not None


class TestWhatEnds:
    def test_tokens_of_who_proved_less_end_and_those_of_the_others_stay(self, world: World) -> None:
        mail, api = world.register(), world.register("api", introspects=True)
        token = token_for(world, mail, world.account())
        assert changed(world, name="post").ended == ()
        assert looked_at(world, api, token)["active"], "another name ends nothing"
        made = changed(world, "post", requires="two-factors")
        assert len(made.ended) == 1
        assert looked_at(world, api, token) == {"active": False}
        (event,) = (one for one in world.place.store.events() if one.event == "tighten-relying-party")
        assert (event.account, event.details["sessions"], event.details["relying-party"]) == ("ada", made.ended[0], mail.id)
        changed(world, "post", requires="any")
        assert looked_at(world, api, token) == {"active": False}, "what ended stays so"

    def test_an_address_that_goes_ends_what_was_given_and_its_codes(self, world: World) -> None:
        mail, api, ada = world.register(), world.register("api", introspects=True), world.account()
        token = token_for(world, mail, ada)
        code = carried(world.browser(ada).ask(client_id=mail.id, redirect_uri=WEB_CALLBACK))["code"]
        changed(world, add_redirect_uris=(OTHER,))
        assert looked_at(world, api, token)["active"], "one more address ends nothing"
        world.place.change(on_host=True)
        removing = RelyingPartyChange(remove_redirect_uris=(WEB_CALLBACK,))
        said = LocalDirectory(world.place.parts).plan_relying_party(Actor(), "mail", removing)
        assert "1 token that was given under looser rules ends" in " ".join(one.message for one in said.effects)
        assert len(changed(world, remove_redirect_uris=(WEB_CALLBACK,)).ended) == 1
        assert looked_at(world, api, token) == {"active": False}
        answer = world.program().exchange(code, redirect_uri=WEB_CALLBACK, client_id=None, basic=basic_of(mail))
        assert answer.json()["error"] == "invalid_grant"
        refused = world.browser(ada).ask(client_id=mail.id, redirect_uri=WEB_CALLBACK)
        assert refused.status_code == 400

    def test_a_scope_that_goes_ends_what_was_given(self, world: World) -> None:
        mail, api, ada = world.register(scopes=("read", "write")), world.register("api", introspects=True), world.account()
        token = token_for(world, mail, ada, scope="read write")
        code = carried(world.browser(ada).ask(client_id=mail.id, redirect_uri=WEB_CALLBACK, scope="read write"))["code"]
        changed(world, scopes=("read",))
        assert looked_at(world, api, token) == {"active": False}
        answer = world.program().exchange(code, redirect_uri=WEB_CALLBACK, client_id=None, basic=basic_of(mail))
        assert answer.json()["error"] == "invalid_grant"

    def test_what_was_agreed_to_stays(self, world: World) -> None:
        mail, ada = world.register(), world.account()
        token_for(world, mail, ada)
        changed(world, redirect_uris=(OTHER,))
        assert [one.key for one in world.place.store.records(relying_parties.CONSENTS)] == [f"{mail.id}/{ada.account_id}"]
        assert not list(relying_parties.given_to(world.place.parts, mail.id))


class TestWhoIsTold:
    def test_a_program_is_told_of_the_sessions_that_end(self, world: World) -> None:
        """Each with the person whose it was: the change itself is nobody's ending, and so throws nobody else out."""
        wiki = Relying(world)
        wiki.tokens(world.browser(world.account()))
        assert endings_of(world) == []
        changed(world, "wiki", redirect_uris=(OTHER,))
        (ending,) = endings_of(world)
        assert (ending.event, ending.account, ending.relying_party) == ("tighten-relying-party", "ada", wiki.id)
        (told,) = given.ended_by(world.place.parts, ending)
        assert told.given.client_id == wiki.id

    def test_mail_that_serves_less_is_told_to_whoever_watches_it(self, world: World) -> None:
        mail = world.register("post", kind="dovecot", redirect_uris=(), services=("imap", "pop3"))
        changed(world, "post", services=("imap", "pop3", "smtp"))
        assert endings_of(world) == []
        changed(world, "post", services=("imap",))
        (ending,) = endings_of(world)
        assert (ending.is_everybodys, ending.relying_party) == (True, mail.id)
        assert ends_of("dovecot", introspects=False).what.intersection(ending.what)
        assert not ends_of("ssh", introspects=False).what.intersection(ending.what)


def test_who_gets_something_while_it_changes_gets_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Must hold 7: what was looked at before the change counts no more when it is given."""
    mail, ada = world.register(), world.account()
    code = world.browser(ada).agree(client_id=mail.id, redirect_uri=WEB_CALLBACK)["code"]
    keep = giving.Giving.keep

    def kept_after_the_change(self: Any, **more: Any) -> None:
        keep(self, **more)
        changed(world, redirect_uris=(OTHER,))
        monkeypatch.undo()

    monkeypatch.setattr(giving.Giving, "keep", kept_after_the_change)
    answer = world.program().exchange(code, redirect_uri=WEB_CALLBACK, client_id=None, basic=basic_of(mail))
    assert answer.json()["error"] == "invalid_grant"
    assert not [one for one in world.place.store.sessions(AccountId(ada.account_id)) if one.kind == "client"]


class TestTheServersOwnNetwork:
    """An operator has no right there: what was registered on the host reaches it, what they name does not."""

    def operator(self, world: World) -> Actor:
        ada = world.account()
        world.make_operator(ada.account_id)
        return Actor(token=ada.token, operator=Operator(reason="it moved", ticket=""))

    def test_an_operator_names_no_address_inside(self, world: World) -> None:
        world.register("wiki", kind="oidc")
        with pytest.raises(BadRedirectUri):
            world.site.directory.change_relying_party(
                self.operator(world), "wiki", RelyingPartyChange(told_of_endings_at=INSIDE)
            )

    def test_one_of_the_host_reaches_inside_until_an_operator_names_another_address(self, world: World) -> None:
        world.register("wiki", kind="oidc", told_of_endings_at=INSIDE)
        actor, directory = self.operator(world), world.site.directory
        directory.change_relying_party(actor, "wiki", RelyingPartyChange(name="wiki 2"))
        found = relying_parties.find_named(world.place.parts, "wiki 2")
        assert found is not None
        assert found.made_on_host
        directory.change_relying_party(actor, "wiki 2", RelyingPartyChange(told_of_endings_at="https://wiki.example/told"))
        found = relying_parties.find_named(world.place.parts, "wiki 2")
        assert found is not None
        assert not found.made_on_host


def test_over_http_it_is_planned_and_changed(world: World) -> None:
    mail, ada = world.register(), world.account()
    where = f"/api/v1/relying-parties/{mail.id}"
    said = {"Authorization": f"Bearer {ada.token.reveal()}", "Passless-Reason": "it moved"}
    body = {"add_redirect_uris": [OTHER], "requires": "two-factors"}
    http = world.http()
    assert http.post(f"{where}/apply", json=body, headers=said).status_code == 403
    world.make_operator(ada.account_id)
    planned = http.post(f"{where}/plan", json=body, headers=said)
    assert (planned.status_code, planned.json()["applied"]) == (200, False)
    done = http.post(f"{where}/apply", json=body, headers=said)
    assert done.status_code == 200
    assert done.json()["plan"] == planned.json()["plan"]
    assert (done.json()["id"], done.json()["redirect_uris"], done.json()["ended"]) == (mail.id, [WEB_CALLBACK, OTHER], [])
    assert "secret" not in done.json()
    assert http.post(f"{where}/apply", json={"requires": 7}, headers=said).status_code == 400
    assert http.post(f"{where}x/apply", json=body, headers=said).status_code == 404


def test_two_who_change_it_at_once_do_not_undo_each_other(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from passless.actions import changing_parties

    world.register()
    world.place.change(on_host=True)
    directory = LocalDirectory(world.place.parts)
    ends, first = changing_parties._end, list[bool]()

    def meanwhile(*given: Any) -> Any:
        if not first:
            first.append(True)
            directory.change_relying_party(Actor(), "mail", RelyingPartyChange(name="other"))
        return ends(*given)

    monkeypatch.setattr(changing_parties, "_end", meanwhile)
    with pytest.raises(PasslessError) as refused:
        directory.change_relying_party(Actor(), "mail", RelyingPartyChange(add_redirect_uris=(OTHER,)))
    assert refused.value.code == "busy"
    (kept,) = relying_parties.clients(world.place.parts)
    assert (kept.name, kept.redirect_uris) == ("other", (WEB_CALLBACK,))
