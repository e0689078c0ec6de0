"""Mail programs with a token: a real Dovecot looks at it by RFC 7662, and imaplib signs in with XOAUTH2 and OAUTHBEARER."""

from __future__ import annotations

import imaplib
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from secrets import token_hex

import pytest

from passless.actions.who import token_hash
from passless.domain.secret import Secret
from passless.domain.sessions import Session, SessionId, SessionKind
from passless.ports import Write
from tests.server.serving import keep_secret
from tests.strangers.mail.a_dovecot import Dovecot
from tests.strangers.mail.people import Person
from tests.strangers.mail.world import MailWorld

CALLBACK = "http://127.0.0.1:9/back"


@pytest.fixture(scope="module")
def webmail(world: MailWorld) -> str:
    """Another relying party, which people give tokens to; its client id."""
    asked = ("--kind", "oauth", "--redirect-uri", CALLBACK, "--scope", "mail,calendar")
    made = world.on_host("relying-party", "add", "Webmail", *asked)
    keep_secret(made["secret"])
    return str(made["id"])


def token_of(world: MailWorld, client: str, *scopes: str, name: str = "ada") -> str:
    """Return a token as the server gives it; the giving is tested with the server's OAuth."""
    token, now = keep_secret(f"pls_{token_hex(32)}"), datetime.now(UTC)
    with world.store() as store:
        account = store.read_named(name).account  # type: ignore[arg-type]
        session = Session(
            id=SessionId(token_hex(8)),
            account_id=account.id,
            token_hash=token_hash(Secret(token)),
            kind=SessionKind.CLIENT,
            created_at=now,
            seen_at=now,
            expires_at=now + timedelta(hours=1),
            name=client,
            rights=scopes,
        )
        store.commit(Write(at=now, opens=session))
    return token


def end(world: MailWorld, token: str) -> None:
    """End a token, as somebody does who ends the session."""
    with world.store() as store:
        session = store.session(token_hash(Secret(token)))
        assert session is not None
        store.commit(Write(at=datetime.now(UTC), ends=(session.id,)))


def signs_in(dovecot: Dovecot, how: str, user: str, token: str) -> None:
    """Sign in with a token and open the mailbox."""
    said = {
        "XOAUTH2": f"user={user}\x01auth=Bearer {token}\x01\x01",
        "OAUTHBEARER": f"n,a={user},\x01host=localhost\x01port=143\x01auth=Bearer {token}\x01\x01",
    }
    imap = dovecot.imap()
    try:
        imap.authenticate(how, lambda challenge: b"" if challenge else said[how].encode())
        assert imap.select()[0] == "OK"
    finally:
        imap.shutdown()


@pytest.mark.parametrize("how", ["XOAUTH2", "OAUTHBEARER"])
def test_a_token_of_another_relying_party_opens_the_mailbox(
    world: MailWorld, dovecot: Dovecot, ada: Person, webmail: str, how: str
) -> None:
    token = token_of(world, webmail, "mail", "calendar")
    signs_in(dovecot, how, "ada", token)
    end(world, token)
    with pytest.raises(imaplib.IMAP4.error, match="AUTHENTICATIONFAILED"):
        signs_in(dovecot, how, "ada", token)
    assert ada.caller.token


def test_a_token_opens_no_other_mailbox_and_none_without_the_scope(
    world: MailWorld, dovecot: Dovecot, ada: Person, eve: Person, webmail: str
) -> None:
    def is_refused(token: str) -> None:
        with pytest.raises(imaplib.IMAP4.error, match="AUTHENTICATIONFAILED"):
            signs_in(dovecot, "XOAUTH2", "ada", token)

    wrong = [token_of(world, webmail, "mail", name="eve"), token_of(world, webmail, "calendar"), token_of(world, webmail)]
    wrong += ["pls_nothing", ada.caller.token]
    with ThreadPoolExecutor(len(wrong)) as threads:  # Dovecot keeps each waiting for a while
        list(threads.map(is_refused, wrong))
    assert eve.caller.token


def test_while_the_server_is_down_it_is_later(world: MailWorld, dovecot: Dovecot, ada: Person, webmail: str) -> None:
    token = token_of(world, webmail, "mail")
    assert ada.caller.token
    assert world.served is not None
    world.served.kill()
    with pytest.raises(imaplib.IMAP4.error, match="UNAVAILABLE"):
        signs_in(dovecot, "XOAUTH2", "ada", token)
    world.serve()
    signs_in(dovecot, "XOAUTH2", "ada", token)
