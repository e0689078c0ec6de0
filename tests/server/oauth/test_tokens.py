"""Ending tokens (RFC 7009), looking at them (RFC 7662), and what the server says of itself (RFC 8414)."""

from __future__ import annotations

from typing import Any

import pytest
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata

from passless.actions.who import session_of
from passless.domain.relying_parties import MadeRelyingParty
from passless.domain.requests import EndSessions
from passless.domain.secret import Secret
from passless.domain.views import SignedIn
from passless.ports.directory import Actor
from tests.server.oauth.world import URL, WEB_CALLBACK, World


def basic_of(party: MadeRelyingParty) -> tuple[str, str]:
    assert party.secret is not None
    return party.id, party.secret.reveal()


def token_for(world: World, party: MadeRelyingParty, person: SignedIn, **more: str) -> str:
    """Let a relying party sign somebody in."""
    uris = {"client_id": party.id, "redirect_uri": WEB_CALLBACK}
    code = world.browser(person).agree(**uris, **more)["code"]
    form: dict[str, Any] = {"redirect_uri": WEB_CALLBACK}
    form |= {"client_id": party.id} if party.public else {"client_id": None, "basic": basic_of(party)}
    return world.place.keep_secret(world.program().exchange(code, **form).json()["access_token"])


def looked_at(world: World, party: MadeRelyingParty, token: str) -> Any:
    answer = world.program().post("/oauth/introspect", basic=basic_of(party), token=token)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    return answer.json()


def command_line_token(world: World, person: SignedIn) -> str:
    code = world.browser(person).agree()["code"]
    return world.place.keep_secret(world.program().exchange(code).json()["access_token"])


def holds(world: World, token: str) -> bool:
    return session_of(world.place.parts, Actor(token=Secret(token))) is not None


class TestIntrospection:
    def test_a_relying_party_learns_whose_its_token_is(self, world: World) -> None:
        ada, mail = world.account(), world.register(scopes=("read",))
        said = looked_at(world, mail, token_for(world, mail, ada, scope="read"))
        now = int(world.place.clock.now.timestamp())
        assert said == {
            "active": True,
            "scope": "read",
            "client_id": mail.id,
            "username": "ada",
            "token_type": "Bearer",
            "exp": now + 3600,
            "iat": now,
            "sub": ada.account_id,
            "aud": mail.id,
            "iss": URL,
            "auth_time": now,
            "acr": "1",
        }

    def test_anothers_token_is_said_nothing_of(self, world: World) -> None:
        mail, files = world.register(), world.register("files")
        token = token_for(world, mail, world.account())
        assert looked_at(world, files, token) == {"active": False}

    def test_one_that_introspects_looks_at_those_of_every_relying_party(self, world: World) -> None:
        mail, api = world.register(), world.register("api", introspects=True)
        ada = world.account()
        assert looked_at(world, api, token_for(world, mail, ada))["client_id"] == mail.id
        assert looked_at(world, api, command_line_token(world, ada)) == {"active": False}
        assert looked_at(world, api, ada.token.reveal()) == {"active": False}

    def test_a_public_client_looks_at_nothing(self, world: World) -> None:
        app = world.register("app", public=True)
        token = token_for(world, app, world.account())
        answer = world.program().post("/oauth/introspect", client_id=app.id, token=token)
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")

    def test_a_secret_may_be_posted_too(self, world: World) -> None:
        mail = world.register()
        client_id, secret = basic_of(mail)
        answer = world.program().post("/oauth/introspect", client_id=client_id, client_secret=secret, token="x")
        assert answer.json() == {"active": False}

    def test_a_token_that_ended_is_good_for_nothing(self, world: World) -> None:
        """must hold 7: from the next request on."""
        ada, mail = world.account(), world.register()
        token = token_for(world, mail, ada)
        session = next(one for one in world.site.directory.sessions(Actor(token=ada.token), "ada") if one.kind == "client")
        world.site.directory.apply(Actor(token=ada.token), "ada", EndSessions(session=session.id))
        assert looked_at(world, mail, token) == {"active": False}

    def test_a_token_lives_an_hour(self, world: World) -> None:
        mail = world.register()
        token = token_for(world, mail, world.account())
        world.place.clock.move(minutes=60)
        assert looked_at(world, mail, token) == {"active": False}

    def test_without_a_token_there_is_nothing_to_look_at(self, world: World) -> None:
        answer = world.program().post("/oauth/introspect", basic=basic_of(world.register()))
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


class TestRevocation:
    def test_the_command_line_ends_its_own_session(self, world: World) -> None:
        token = command_line_token(world, world.account())
        answer = world.program().post("/oauth/revoke", client_id="passless-cli", token=token, token_type_hint="anything")
        assert answer.status_code == 200
        assert not holds(world, token)

    def test_a_relying_party_ends_its_own_token(self, world: World) -> None:
        mail = world.register()
        token = token_for(world, mail, world.account())
        assert world.program().post("/oauth/revoke", basic=basic_of(mail), token=token).status_code == 200
        assert looked_at(world, mail, token) == {"active": False}

    def test_nobody_ends_anothers(self, world: World) -> None:
        ada, mail, app = world.account(), world.register(), world.register("app", public=True)
        token, theirs = command_line_token(world, ada), token_for(world, mail, ada)
        assert world.program().post("/oauth/revoke", client_id=app.id, token=token).status_code == 400
        assert world.program().post("/oauth/revoke", client_id="passless-cli", token=theirs).status_code == 400
        assert holds(world, token)
        assert looked_at(world, mail, theirs)["active"]

    def test_a_session_that_oauth_did_not_give_is_not_ended_by_it(self, world: World) -> None:
        ada = world.account()
        answer = world.program().post("/oauth/revoke", client_id="passless-cli", token=ada.token.reveal())
        assert answer.status_code == 200  # RFC 7009 §2.2: what is no token is revoked already
        assert holds(world, ada.token.reveal())

    def test_what_is_no_token_is_revoked_already(self, world: World) -> None:
        assert world.program().post("/oauth/revoke", client_id="passless-cli", token="x").status_code == 200

    def test_a_client_with_a_secret_shows_it(self, world: World) -> None:
        mail = world.register()
        token = token_for(world, mail, world.account())
        assert world.program().post("/oauth/revoke", client_id=mail.id, token=token).status_code == 401


class TestMetadata:
    @pytest.fixture
    def said(self, world: World) -> Any:
        answer = world.program().http.get("/.well-known/oauth-authorization-server")
        assert answer.headers["content-type"] == "application/json"
        return answer.json()

    def test_it_is_what_the_standard_asks(self, said: Any) -> None:
        AuthorizationServerMetadata(said).validate()
        assert said["issuer"] == URL

    def test_every_address_answers(self, world: World, said: Any) -> None:
        program = world.program()
        posted = [name for name in said if name.endswith("_endpoint") and name != "authorization_endpoint"]
        assert len(posted) == 4
        for name in posted:
            answer = program.post(said[name].removeprefix(URL), client_id="nobody")
            assert (answer.status_code, answer.json()["error"]) in ((401, "invalid_client"), (400, "unsupported_grant_type"))
        assert world.browser(world.account()).ask().status_code == 200

    def test_every_way_to_say_who_one_is_works(self, world: World, said: Any) -> None:
        mail = world.register()
        client_id, secret = basic_of(mail)
        ways: dict[str, dict[str, Any]] = {
            "client_secret_basic": {"basic": (client_id, secret)},
            "client_secret_post": {"client_id": client_id, "client_secret": secret},
            "none": {"client_id": "passless-cli"},
        }
        for endpoint in ("token", "revocation", "introspection"):
            methods = said[f"{endpoint}_endpoint_auth_methods_supported"]
            for name, way in ways.items():
                path = said[f"{endpoint}_endpoint"].removeprefix(URL)
                form = {"token": "x", "grant_type": "authorization_code", "code": "x", "code_verifier": "x" * 43}
                answer = world.program().post(path, **way, **form)
                assert (answer.json().get("error") != "invalid_client") == (name in methods)

    def test_every_grant_and_no_other_is_known(self, world: World, said: Any) -> None:
        for grant in said["grant_types_supported"]:
            answer = world.program().post("/oauth/token", grant_type=grant, client_id="passless-cli", device_code="x", code="x")
            assert answer.json()["error"] == "invalid_grant"
