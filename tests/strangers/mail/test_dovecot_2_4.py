"""The configuration for Dovecot 2.4, by the Dovecot of Debian 13."""

from __future__ import annotations

import imaplib
from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from passless.domain.party_views import RelyingPartyView
from passless.domain.secret import Secret
from passless.programs import dovecot as program
from passless.programs import setting_up
from tests.strangers.mail.a_dovecot import Dovecot, need_dovecot
from tests.strangers.mail.people import Person
from tests.strangers.mail.test_dovecot import (
    LATER,
    is_gone,
    refused,
    refused_at_once,
    signed_in,
    signs_in,
    thrown_out_by_name,
)
from tests.strangers.mail.test_tokens import signs_in as signs_in_with
from tests.strangers.mail.test_tokens import token_of
from tests.strangers.mail.trixie import COMMON, ROOT, a_folder, need_trixie, programs_in
from tests.strangers.mail.world import MailWorld


@pytest.fixture(scope="module")
def world() -> Iterator[MailWorld]:
    """A server, and a 2.4 with the files that passless writes for it."""
    need_dovecot()
    need_trixie()
    with a_folder() as folder, pytest.MonkeyPatch.context() as patch:
        made = MailWorld(folder)
        try:
            made.make_account("ada", "--email", "ada@example.org")
            registered = made.register("--introspects")
            patch.setenv("PATH", programs_in(folder / "bin"))
            patch.setenv("TMPDIR", str(folder))
            patch.setattr("tempfile.tempdir", None)
            made.included = written(made, registered)
            made.serve()
            made.socket.chmod(0o666)  # the group has another number inside of the root
            made.start_dovecot(common=COMMON, path=str(folder / "bin") + ":/usr/bin:/bin:/usr/sbin")
            yield made
        finally:
            made.close()


@pytest.fixture(scope="module")
def dovecot(world: MailWorld) -> Dovecot:
    """The 2.4."""
    assert world.dovecot is not None
    return world.dovecot


@pytest.fixture(scope="module")
def ada(world: MailWorld) -> Person:
    """Somebody who may make app passwords there."""
    return world.signed_in("ada")


def written(world: MailWorld, registered: Any) -> Path:
    """Have the files written, and judged by doveconf."""
    folder = world.folder / "new"
    folder.mkdir()
    setup = setting_up.Setup(
        party=party(registered["id"], introspects=True),
        url=world.url,
        secret=Secret(registered["secret"]),
        folder=folder,
        socket=f"unix:{world.socket}",
    )
    assert program.version()[:2] == (2, 4)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(program, "MODULES_ROOT", ROOT)
        done = setting_up.set_up(program, setup)
    assert [Path(one).name for one in done.files] == [
        "passless-mail.conf.ext",
        "passless-mail.lua",
        "passless-mail-oauth2.conf.ext",
    ]
    return Path(done.files[0])


def party(client_id: str, *, introspects: bool) -> RelyingPartyView:
    """Return the mail server as the command line sees it."""
    return RelyingPartyView(
        id=client_id,
        name="mail",
        kind="dovecot",
        public=False,
        redirect_uris=(),
        scopes=(),
        introspects=introspects,
        created_at=datetime.now(UTC),
    )


def test_a_configuration_that_2_4_does_not_take_is_gone_again(world: MailWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("passless.programs.dovecot_texts.main_2_4", lambda *_: "no_such_setting = yes\n")
    folder = world.folder / "wrong"
    folder.mkdir()
    party = RelyingPartyView(
        id="x",
        name="mail",
        kind="dovecot",
        public=False,
        redirect_uris=(),
        scopes=(),
        introspects=False,
        created_at=datetime.now(UTC),
    )
    setup = setting_up.Setup(party=party, url=world.url, folder=folder, socket=f"unix:{world.socket}")
    with pytest.raises(setting_up.NotTaken, match="no_such_setting"):
        setting_up.set_up(program, setup)
    assert list(folder.iterdir()) == []


def test_a_mail_program_signs_in_and_what_is_revoked_does_not(dovecot: Dovecot, ada: Person) -> None:
    """Must hold 7."""
    secret = ada.new_app_password("Mail", services=["imap"])
    for user in ("ada", "Ada@Example.org"):
        for spelled in (secret, secret.replace(" ", "")):
            signs_in(dovecot, user, spelled)
    pop3 = dovecot.pop3()
    pop3.user("ada")
    with pytest.raises(Exception, match="AUTH"):
        pop3.pass_(secret)
    pop3.close()
    digest = sha256(secret.encode()).hexdigest()
    wrong = (
        ("ada", "wrong"),
        (f"ada/{digest}", "x"),
        (f"{digest}/127.0.0.1/ada", "x"),
        ("%u", secret),
        ('"%{password}"', secret),
    )
    refused_at_once(dovecot, *wrong)
    with signed_in(dovecot, "ada", secret) as running:
        ada.revoke("Mail")
        program.end_connections("ada", configuration=dovecot.configuration)
        assert is_gone(running)
    with refused():
        signs_in(dovecot, "ada", secret)
    assert [path.name for path in (dovecot.folder / "mail").iterdir()] == ["ada"]


def test_people_whose_names_have_other_letters_sign_in_and_are_thrown_out(world: MailWorld, dovecot: Dovecot) -> None:
    world.make_account("åse")
    thrown_out_by_name(dovecot, "åse", world.signed_in("åse").new_app_password())


def test_a_token_opens_the_mailbox(world: MailWorld, dovecot: Dovecot, ada: Person) -> None:
    asked = ("--kind", "oauth", "--redirect-uri", "http://127.0.0.1:9/back", "--scope", "mail,calendar")
    client = world.on_host("relying-party", "add", "Webmail", *asked)["id"]
    for how in ("XOAUTH2", "OAUTHBEARER"):
        signs_in_with(dovecot, how, "ada", token_of(world, client, "mail"))
        for wrong in (token_of(world, client, "calendar"), "pls_nothing"):
            with pytest.raises(imaplib.IMAP4.error, match="AUTHENTICATIONFAILED"):
                signs_in_with(dovecot, how, "ada", wrong)
    assert ada.caller.token


def test_while_the_server_is_down_it_is_later(world: MailWorld, dovecot: Dovecot, ada: Person) -> None:
    secret = ada.new_app_password("Later")
    client = world.on_host("relying-party", "add", "Other", "--kind", "oauth", "--scope", "mail", "--public", "--device-codes")[
        "id"
    ]
    token = token_of(world, client, "mail")
    signs_in(dovecot, "ada", secret)
    assert world.served is not None
    world.served.kill()
    with refused():  # 2.4.1 does not tell a server that is down from a token that is wrong; of passwords it does
        signs_in_with(dovecot, "XOAUTH2", "ada", token)
    refused_at_once(dovecot, ("ada", secret), ("ada", "wrong"), why=LATER)
    world.serve()
    world.socket.chmod(0o666)
    signs_in(dovecot, "ada", secret)
