"""A real Dovecot asks a real server about app passwords; imaplib and poplib are the mail programs."""

from __future__ import annotations

import imaplib
import poplib
import socket
import stat
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from hashlib import sha256

import pytest

from passless.programs.dovecot import end_connections
from tests.strangers.mail.a_dovecot import PATIENCE, Dovecot
from tests.strangers.mail.people import Person
from tests.strangers.mail.world import MailWorld

WRONG = "AUTHENTICATIONFAILED"
LATER = "UNAVAILABLE"


@contextmanager
def signed_in(dovecot: Dovecot, user: str, secret: str) -> Iterator[imaplib.IMAP4]:
    """Sign in as a mail program does, and open the mailbox."""
    imap = dovecot.imap()
    try:
        imap.login(user, secret)
        assert imap.select()[0] == "OK"
        yield imap
    finally:
        imap.shutdown()


def signs_in(dovecot: Dovecot, user: str, secret: str) -> None:
    """Sign in, and leave."""
    with signed_in(dovecot, user, secret) as imap:
        imap.noop()


def reads_pop3(dovecot: Dovecot, user: str, secret: str) -> int:
    """Sign in as an older mail program does, and return how many messages there are."""
    pop3 = dovecot.pop3()
    try:
        pop3.user(user)
        pop3.pass_(secret)
        return pop3.stat()[0]
    finally:
        pop3.close()


def is_gone(imap: imaplib.IMAP4) -> bool:
    """Tell whether Dovecot hung up; it waits for that."""
    until = time.monotonic() + PATIENCE
    try:
        while time.monotonic() < until and imap.noop()[0] == "OK":
            pass
    except (imaplib.IMAP4.abort, OSError):
        return True
    return False


@contextmanager
def refused(why: str = WRONG) -> Iterator[None]:
    """Expect Dovecot's answer."""
    with pytest.raises(imaplib.IMAP4.error, match=why):
        yield


def refused_at_once(dovecot: Dovecot, *tries: tuple[str, str], why: str = WRONG) -> None:
    """Try them all together, for Dovecot keeps whoever it refuses waiting for half a second."""

    def is_refused(one: tuple[str, str]) -> None:
        with refused(why):
            signs_in(dovecot, *one)

    with ThreadPoolExecutor(len(tries)) as threads:
        list(threads.map(is_refused, tries))


@pytest.fixture(scope="module")
def secret(ada: Person) -> str:
    return ada.new_app_password("Everything")


@pytest.mark.parametrize("user", ["ada", "ADA", "ada@example.org", "Ada@Example.org"])
def test_a_mail_program_signs_in_by_name_or_address_with_spaces_and_without(dovecot: Dovecot, secret: str, user: str) -> None:
    for spelled in (secret, secret.replace(" ", "")):
        signs_in(dovecot, user, spelled)


def test_whatever_was_typed_it_is_the_mailbox_of_the_account(dovecot: Dovecot, secret: str) -> None:
    with signed_in(dovecot, "ada@example.org", secret) as imap:
        imap.append("INBOX", "", imaplib.Time2Internaldate(time.time()), b"Subject: hello\r\n\r\nhello\r\n")
    assert {path.name for path in (dovecot.folder / "mail").iterdir()} & {"ada", "ada@example.org"} == {"ada"}
    assert reads_pop3(dovecot, "ada", secret) == 1


def test_an_app_password_is_for_its_services_alone(dovecot: Dovecot, ada: Person) -> None:
    imap_only, pop3_only = (ada.new_app_password(f"only {one}", services=[one]) for one in ("imap", "pop3"))
    signs_in(dovecot, "ada", imap_only)
    with refused():
        signs_in(dovecot, "ada", pop3_only)
    reads_pop3(dovecot, "ada", pop3_only)
    with pytest.raises(poplib.error_proto, match="AUTH"):
        reads_pop3(dovecot, "ada", imap_only)


def test_what_is_revoked_is_refused_at_once(dovecot: Dovecot, ada: Person) -> None:
    """Must hold 7."""
    secret = ada.new_app_password("for a minute")
    signs_in(dovecot, "ada", secret)
    ada.revoke("for a minute")
    with refused():
        signs_in(dovecot, "ada", secret)


def test_nobody_gets_in_with_anything_else(dovecot: Dovecot, secret: str, eve: Person) -> None:
    digest = sha256(secret.encode()).hexdigest()
    eves = eve.new_app_password("hers")
    signs_in(dovecot, "eve", eves)
    tries = [
        ("eve", secret),
        ("ada", eves),
        ("ada", digest),
        ("ada", "stately otter lantern mosaic"),
        (f"ada/{digest}", "x"),
        (f"{digest}/127.0.0.1/ada", "x"),
        (f"imap/{digest}/127.0.0.1/ada", "x"),
        ("%u", secret),
        ("a" * 700, secret),
        ("nobody", secret),
    ]
    refused_at_once(dovecot, *tries)


@contextmanager
def signed_in_plain(dovecot: Dovecot, user: bytes, secret: str) -> Iterator[imaplib.IMAP4]:
    """Sign in with a name of any octets, and open the mailbox."""
    imap = dovecot.imap()
    try:
        imap.authenticate("PLAIN", lambda _: b"\0" + user + b"\0" + secret.encode())
        assert imap.select()[0] == "OK"
        yield imap
    finally:
        imap.shutdown()


def thrown_out_by_name(dovecot: Dovecot, name: str, secret: str) -> None:
    """Sign in by a name that Dovecot takes for none by itself, in any case, and see that it throws out who is called so."""
    with signed_in_plain(dovecot, name.upper().encode(), secret) as running:
        signs_in_plain(dovecot, name.encode(), secret)
        end_connections(name, configuration=dovecot.configuration)
        assert is_gone(running)
    assert {path.name for path in (dovecot.folder / "mail").iterdir()} & {name, name.upper()} == {name}


def signs_in_plain(dovecot: Dovecot, user: bytes, secret: str) -> None:
    """Sign in with a name of any octets, and leave."""
    with signed_in_plain(dovecot, user, secret) as imap:
        imap.noop()


def test_names_that_are_no_names_get_nowhere(dovecot: Dovecot, secret: str) -> None:
    def is_refused(user: bytes) -> None:
        with refused():
            signs_in_plain(dovecot, user, secret)

    names = (b"\xff\xfe\x01", b"ada\x01t", b"ada\xc2\xa0x", b"ada\tada", b"ada\nada", b"../ada", b"ada'--", b"%{user}", b"a*")
    with ThreadPoolExecutor(len(names)) as threads:
        list(threads.map(is_refused, names))


@pytest.mark.parametrize("name", ["åse", "ada+x"])
def test_people_whose_names_have_other_letters_sign_in_and_are_thrown_out(
    world: MailWorld, dovecot: Dovecot, name: str
) -> None:
    """Dovecot says of such a name that its password is wrong, unless `auth_username_chars` says otherwise."""
    world.make_account(name)
    thrown_out_by_name(dovecot, name, world.signed_in(name).new_app_password())


def test_a_connection_ends_when_it_is_thrown_out(dovecot: Dovecot, ada: Person) -> None:
    secret = ada.new_app_password("running")
    with signed_in(dovecot, "ada@example.org", secret) as running, signed_in(dovecot, "ada", secret) as other:
        ada.revoke("running")
        end_connections("ada", configuration=dovecot.configuration)
        assert is_gone(running)
        assert is_gone(other)
    end_connections("ada", configuration=dovecot.configuration)  # nobody is there any more, which is right as well


@pytest.mark.parametrize("name", ["1234", "10.0.0.1", "-f", "nobody-there"])
def test_a_name_that_looks_like_something_else_throws_out_nobody_else(dovecot: Dovecot, secret: str, name: str) -> None:
    with signed_in(dovecot, "ada", secret) as running:
        end_connections(name, configuration=dovecot.configuration)
        assert running.noop()[0] == "OK"


def test_the_socket_is_for_dovecot_and_for_nobody_else(world: MailWorld) -> None:
    import grp

    found = world.socket.stat()
    assert stat.S_IMODE(found.st_mode) == 0o660
    assert grp.getgrgid(found.st_gid).gr_name == "dovecot"


@pytest.mark.parametrize(
    "sent", [b"GET / HTTP/1.1\r\n\r\n", b"Lshared/userdb/ada\tada\n", b"H3\t2\t0\t\tx\nB1\n", b"H3\n" + b"x" * 70_000]
)
def test_who_does_not_speak_as_dovecot_is_hung_up_on(world: MailWorld, sent: bytes) -> None:
    with socket.socket(socket.AF_UNIX) as asking:
        asking.settimeout(PATIENCE)
        asking.connect(str(world.socket))
        with _nothing_more():
            asking.sendall(sent)
            assert asking.recv(100) == b""


def test_many_questions_at_once_are_answered_in_their_order(world: MailWorld) -> None:
    with socket.socket(socket.AF_UNIX) as asking:
        asking.settimeout(PATIENCE)
        asking.connect(str(world.socket))
        keys = [b"Lshared/userdb/%s\t\n" % name for name in (b"ada", b"nobody", b"eve") * 200]
        asking.sendall(b"H3\t2\t0\t\tx\n" + b"".join(keys) + b"I0\t0\tshared/userdb/\t\n")
        heard = b""
        while heard.count(b"\n") < len(keys) + 1:
            more = asking.recv(100_000)
            assert more, heard
            heard += more
    *answers, last = heard.splitlines()
    assert answers == [b'O{"user":"ada"}', b"N", b'O{"user":"eve"}'] * 200
    assert last.startswith(b"F")


def test_while_the_server_is_down_it_is_later_and_afterwards_all_is_well(
    world: MailWorld, dovecot: Dovecot, secret: str
) -> None:
    signs_in(dovecot, "ada", secret)
    assert world.served is not None
    world.served.kill()
    refused_at_once(dovecot, ("ada", secret), ("ada", "wrong"), why=LATER)
    world.serve()
    _at_last(dovecot, secret)
    with refused():
        signs_in(dovecot, "ada", "wrong")


def _at_last(dovecot: Dovecot, secret: str) -> None:
    """Sign in as soon as Dovecot tries to connect again, which it does once a second."""
    until = time.monotonic() + PATIENCE
    while (said := _said(dovecot, secret)) is not None:
        assert LATER in said, said
        assert time.monotonic() < until


def _said(dovecot: Dovecot, secret: str) -> str | None:
    try:
        signs_in(dovecot, "ada", secret)
    except imaplib.IMAP4.error as error:
        return str(error)
    return None


@contextmanager
def _nothing_more() -> Iterator[None]:
    try:
        yield
    except ConnectionError:
        return
