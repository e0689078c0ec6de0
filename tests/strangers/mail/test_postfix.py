"""A real Postfix takes mail from whom Dovecot lets send, by an app password; smtplib is the mail program."""

from __future__ import annotations

import smtplib
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial

import pytest

from passless.programs.dovecot import end_connections
from tests.strangers.mail.a_dovecot import PATIENCE, Dovecot
from tests.strangers.mail.a_postfix import Postfix, need_postfix
from tests.strangers.mail.people import Person
from tests.strangers.mail.world import MailWorld

LETTER = "From: ada@example.org\r\nTo: eve@example.com\r\nSubject: hello\r\n\r\nhello\r\n"
WRONG, LATER = 535, 454  # RFC 4954 §6


@pytest.fixture(scope="module")
def postfix(world: MailWorld, dovecot: Dovecot) -> Iterator[Postfix]:
    need_postfix()
    folder = world.folder / "postfix"
    folder.mkdir(mode=0o755)
    running = Postfix(folder, dovecot.sasl, dovecot.relay_port)
    try:
        yield running
    finally:
        running.stop()


def refused(postfix: Postfix, user: str, secret: str) -> int:
    """Return with which number somebody is refused."""
    with postfix.smtp() as smtp, pytest.raises(smtplib.SMTPAuthenticationError) as caught:
        smtp.login(user, secret)
    return caught.value.smtp_code


def test_who_has_an_app_password_for_sending_sends(postfix: Postfix, bob: Person) -> None:
    for name, service in (("Sending", "smtp"), ("Submitting", "submission")):
        secret = bob.new_app_password(name, services=[service])
        for user in ("bob", "BOB"):
            with postfix.smtp() as smtp:
                smtp.login(user, secret.replace(" ", ""))
                assert smtp.sendmail("ada@example.org", ["eve@example.com"], LETTER) == {}
    assert postfix.logs("sasl_username=bob", times=4)
    assert "sasl_username=BOB" not in postfix.log


def test_nobody_else_sends(postfix: Postfix, bob: Person) -> None:
    with postfix.smtp() as smtp, pytest.raises(smtplib.SMTPRecipientsRefused):
        smtp.sendmail("ada@example.org", ["eve@example.com"], LETTER)
    reading, sending = bob.new_app_password("Reading", services=["imap"]), bob.new_app_password("Sent", services=["smtp"])
    with ThreadPoolExecutor(2) as threads:  # Dovecot keeps each waiting for a while
        assert list(threads.map(partial(refused, postfix), ("bob", "eve"), (reading, sending))) == [WRONG, WRONG]
    bob.revoke("Sent")
    assert refused(postfix, "bob", sending) == WRONG


def test_who_is_revoked_sends_no_more_where_postfix_is_behind_the_submission_of_dovecot(
    postfix: Postfix, dovecot: Dovecot, bob: Person
) -> None:
    secret = bob.new_app_password("Open", services=["submission"])
    with dovecot.submission() as smtp, postfix.smtp() as direct:
        for one in (smtp, direct):
            one.login("bob", secret)
            one.sendmail("bob@example.org", ["eve@example.com"], LETTER)
        assert postfix.logs("sasl_method=XCLIENT, sasl_username=bob")
        bob.revoke("Open")
        end_connections("bob", configuration=dovecot.configuration)
        with pytest.raises((smtplib.SMTPServerDisconnected, smtplib.SMTPResponseException)):
            smtp.sendmail("bob@example.org", ["eve@example.com"], LETTER)
        # Nothing tells which of Postfix's connections is whose, so those to itself go on; docs/relying-parties/mail.md says so.
        assert direct.sendmail("bob@example.org", ["eve@example.com"], LETTER) == {}
    with dovecot.submission() as smtp, pytest.raises(smtplib.SMTPAuthenticationError):
        smtp.login("bob", secret)


def test_while_the_server_is_down_nobody_sends_and_afterwards_they_do(
    world: MailWorld, postfix: Postfix, dovecot: Dovecot, bob: Person
) -> None:
    """Postfix does not pass on that it is for now: it says "authentication failed". Dovecot's own submission does."""
    secret = bob.new_app_password("Later", services=["smtp"])
    assert world.served is not None
    world.served.stop()
    assert refused(postfix, "bob", secret) == WRONG
    with dovecot.submission() as smtp, pytest.raises(smtplib.SMTPAuthenticationError) as caught:
        smtp.login("bob", secret)
    assert caught.value.smtp_code == LATER
    world.serve()
    _at_last(postfix, secret)


def _at_last(postfix: Postfix, secret: str) -> None:
    """Send as soon as Dovecot tries to connect again, which it does once a second."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        with postfix.smtp() as smtp, suppress(smtplib.SMTPAuthenticationError):
            smtp.login("bob", secret)
            return
    raise AssertionError(postfix.log)
