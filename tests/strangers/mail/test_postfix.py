"""A real Postfix takes mail from whom Dovecot lets send, by an app password; smtplib is the mail program."""

from __future__ import annotations

import smtplib
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest

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
    running = Postfix(folder, dovecot.sasl)
    yield running
    running.stop()


def refused(postfix: Postfix, user: str, secret: str) -> int:
    """Return with which number somebody is refused."""
    with postfix.smtp() as smtp, pytest.raises(smtplib.SMTPAuthenticationError) as caught:
        smtp.login(user, secret)
    return caught.value.smtp_code


def test_who_has_an_app_password_for_sending_sends(postfix: Postfix, ada: Person) -> None:
    for name, service in (("Sending", "smtp"), ("Submitting", "submission")):
        secret = ada.new_app_password(name, services=[service])
        for user in ("ada", "ada@example.org"):
            with postfix.smtp() as smtp:
                smtp.login(user, secret.replace(" ", ""))
                assert smtp.sendmail("ada@example.org", ["eve@example.com"], LETTER) == {}
    assert "sasl_username=ada@" not in postfix.log
    assert "sasl_username=ada" in postfix.log


def test_nobody_else_sends(postfix: Postfix, ada: Person) -> None:
    with postfix.smtp() as smtp, pytest.raises(smtplib.SMTPRecipientsRefused):
        smtp.sendmail("ada@example.org", ["eve@example.com"], LETTER)
    reading, sending = ada.new_app_password("Reading", services=["imap"]), ada.new_app_password("Sent", services=["smtp"])
    assert refused(postfix, "ada", reading) == WRONG
    assert refused(postfix, "eve", sending) == WRONG
    ada.revoke("Sent")
    assert refused(postfix, "ada", sending) == WRONG


def test_while_the_server_is_down_nobody_sends_and_afterwards_they_do(
    world: MailWorld, postfix: Postfix, dovecot: Dovecot, ada: Person
) -> None:
    """Postfix does not pass on that it is for now: it says "authentication failed". Dovecot's own submission does."""
    secret = ada.new_app_password("Later", services=["smtp"])
    assert world.served is not None
    world.served.kill()
    assert refused(postfix, "ada", secret) == WRONG
    with dovecot.submission() as smtp, pytest.raises(smtplib.SMTPAuthenticationError) as caught:
        smtp.login("ada", secret)
    assert caught.value.smtp_code == LATER
    world.serve()
    _at_last(postfix, secret)


def _at_last(postfix: Postfix, secret: str) -> None:
    """Send as soon as Dovecot tries to connect again, which it does once a second."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        with postfix.smtp() as smtp, suppress(smtplib.SMTPAuthenticationError):
            smtp.login("ada", secret)
            return
    raise AssertionError(postfix.log)
