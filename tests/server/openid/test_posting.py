"""Where a logout token may go: to public addresses, and inwards only for who was registered on the host."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from passless.actions import relying_parties
from passless.domain.inner_addresses import is_public, is_surely_inner
from passless.domain.relying_parties import BadRedirectUri, NewRelyingParty
from passless.ports.directory import Actor, Operator
from passless.server.openid import posting
from passless.server.openid.posting import INNER, Answer
from tests.server.oauth.world import WEB_CALLBACK, World
from tests.server.openid.listener import Listener
from tests.server.test_serving import certificate_in

INWARDS = (
    "127.0.0.1",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "169.254.169.254",
    "0.0.0.0",
    "224.0.0.1",
    "::1",
    "::",
    "fe80::1",
    "fd00::1",
    "ff02::1",
    "::ffff:10.0.0.1",
    "2002:7f00:1::1",
    "64:ff9b::a00:1",
    "64:ff9b::7f00:1",
    "64:ff9b:1::7f00:1",
    "fec0::1",
    "::127.0.0.1",
    "192.88.99.1",
    "3fff::1",
    "2001:db8::1",
    "fe80::1%eth0",
    "no number",
)


@pytest.mark.parametrize("address", INWARDS)
def test_what_leads_inwards_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["192.0.9.1", "8.8.8.8", "2a00:1450::1", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_everything_else_is(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "uri",
    [
        "https://169.254.169.254/latest",
        "https://localhost:8443/x",
        "https://a.localhost/",
        "https://10.0.0.1/",
        "http://127.0.0.1:25/",
        "http://[::1]:6379/",
    ],
)
def test_an_operator_from_elsewhere_registers_no_address_inside(world: World, uri: str) -> None:
    """They have no right on the host or in its network: `told_of_endings_at` would look into both for them."""
    boss = operator(world)
    new = NewRelyingParty(name="wiki", kind="oidc", redirect_uris=(WEB_CALLBACK,), told_of_endings_at=uri)
    with pytest.raises(BadRedirectUri, match="inside the server's network"):
        world.site.directory.add_relying_party(boss, new)
    assert is_surely_inner(uri)
    assert world.register("wiki", kind="oidc", told_of_endings_at=uri).told_of_endings_at == uri


def test_who_registered_it_is_remembered(world: World) -> None:
    boss, uri = operator(world), "https://wiki.example/told"
    new = NewRelyingParty(name="wiki", kind="oidc", redirect_uris=(WEB_CALLBACK,), told_of_endings_at=uri)
    world.site.directory.add_relying_party(boss, new)
    world.register("files", kind="oidc", told_of_endings_at=uri)
    assert {one.name: one.made_on_host for one in relying_parties.clients(world.place.parts)} == {"wiki": False, "files": True}


def operator(world: World) -> Actor:
    boss = world.account("boss")
    world.make_operator(boss.account_id)
    return Actor(token=boss.token, operator=Operator(reason="a wiki"))


def posted(uri: str, *, inwards: bool) -> Answer:
    return asyncio.run(posting.post(uri, "token", inwards=inwards))


@pytest.fixture
def listener() -> Iterator[Listener]:
    made = Listener()
    yield made
    made.close()


class TestPosting:
    def test_an_inner_address_is_told_for_who_was_registered_on_the_host_alone(self, listener: Listener) -> None:
        assert posted(listener.uri, inwards=False) == Answer(0, INNER)
        assert listener.heard.empty()
        assert posted(listener.uri, inwards=True).status == 200

    def test_what_a_name_stands_for_is_looked_at_and_connected_to(
        self, listener: Listener, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It is asked once: a name that stands for something else a moment later leads nowhere inside."""
        asked: list[str] = []
        loop = asyncio.BaseEventLoop.getaddrinfo

        async def changing(self: Any, host: Any, port: Any, **more: Any) -> Any:
            asked.append(host)
            if host == "wiki.example":
                return await loop(self, "127.0.0.1" if len(asked) == 1 else "127.0.0.2", port, **more)
            return await loop(self, host, port, **more)

        monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", changing)
        uri = listener.uri.replace("127.0.0.1", "wiki.example")
        assert posted(uri, inwards=False) == Answer(0, INNER)
        asked.clear()
        assert posted(uri, inwards=True).status == 200
        assert asked.count("wiki.example") == 1
        assert listener.hosts == [uri.split("/")[2]]

    def test_the_certificate_is_of_the_name_and_not_of_the_number(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        cert, key = certificate_in(tmp_path)  # of localhost
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(cert, key)
        monkeypatch.setattr(posting, "_trusted", lambda: ssl.create_default_context(cafile=str(cert)))
        with closing(Listener(tls)) as secure:
            assert posted(secure.uri.replace("127.0.0.1", "localhost"), inwards=True).status == 200
            assert secure.hosts == [secure.uri.replace("127.0.0.1", "localhost").split("/")[2]]
            wrong = posted(secure.uri, inwards=True)
            assert (wrong.status, "ertificate" in wrong.said) == (0, True)
            assert len(secure.hosts) == 1

    def test_what_is_not_there_is_said(self) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
            assert posted(f"http://127.0.0.1:{port}/told", inwards=True) == Answer(0, "nobody answers there")
