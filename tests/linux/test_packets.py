"""What anybody on the machine can send to the port, with the secret and without it."""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from msgspec.structs import replace

from passless.programs.radius_packets import (
    Asked,
    Attribute,
    BadPacket,
    Code,
    attribute,
    hidden,
    is_answer,
    question,
    read,
    value_of,
)
from tests.linux.host import Host, Somebody
from tests.strangers.needing import need

SOON = 0.4  # seconds in which an answer would have come: one that does come takes some milliseconds


class Program:
    """A program that sends packets, from one port."""

    def __init__(self, host: Host, secret: str | None = None) -> None:
        self.secret = (secret or host.secret).encode()
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.connect(("127.0.0.1", int(host.socket.rpartition(":")[2])))

    def sends(self, packet: bytes, *, within: float = 60) -> bytes | None:
        """Send a packet and return what comes back; None where nothing does."""
        self.socket.settimeout(within)
        self.socket.send(packet)
        try:
            return self.socket.recv(4096)
        except TimeoutError:
            return None

    def asks(self, user: str, password: str = "", state: bytes = b"") -> tuple[Asked, bytes]:
        """Return a packet that asks, and what it asks."""
        asked = Asked(
            identifier=secrets.randbelow(256), authenticator=os.urandom(16), user=user.encode(), password=password.encode()
        )
        return asked, question(asked, self.secret, ((Attribute.STATE, state),) if state else ())

    def begins(self, user: str) -> bytes:
        """Begin to sign somebody in, and return the state that comes back."""
        asked, packet = self.asks(user)
        answer = self.sends(packet)
        assert answer is not None
        assert is_answer(answer, asked, self.secret)
        assert answer[0] == Code.CHALLENGE
        return value_of(answer, Attribute.STATE)

    def answers(self, user: str, password: str, state: bytes) -> Code:
        """Go on, and return what is said."""
        answer = self.sends(self.asks(user, password, state)[1])
        assert answer is not None
        return Code(answer[0])


@contextmanager
def a_program(host: Host, secret: str | None = None) -> Iterator[Program]:
    program = Program(host, secret)
    try:
        yield program
    finally:
        program.socket.close()


@pytest.fixture(scope="module")
def ada(host: Host) -> Somebody:
    return host.somebody().joins()


def guesses(person: Somebody) -> int:
    return sum(one["event"] == "second-step" for one in person.events())


def test_who_does_not_have_the_secret_gets_no_answer_and_counts_as_no_guess(host: Host, ada: Somebody) -> None:
    before = guesses(ada)
    with a_program(host, "plc_another") as stranger, a_program(host) as known:
        state = known.begins(ada.name)
        _, signed = stranger.asks(ada.name)
        asked = Asked(identifier=1, authenticator=os.urandom(16), user=ada.name.encode(), password=b"")
        unsigned = unsigned_packet(asked, b"plc_another")
        for packet in (signed, unsigned, stranger.asks(ada.name, "123456", state)[1], stranger.asks(ada.name, "123456")[1]):
            assert stranger.sends(packet, within=SOON) is None
        assert known.answers(ada.name, ada.wrong_code(), state) is Code.REJECT  # the port still answers who has it
    assert guesses(ada) == before + 1
    assert host.served.await_line("packet-passed-over")["number"] == 1


def test_the_secret_is_not_in_the_store_as_it_is(host: Host) -> None:
    """Must hold 1: it is sealed under the vault's key."""
    kept = b"".join(file.read_bytes() for file in host.folder.glob("accounts.sqlite*"))
    assert kept
    assert host.secret.encode() not in kept


def unsigned_packet(asked: Asked, secret: bytes, *more: bytes, password: bytes | None = None) -> bytes:
    """Return a packet without a Message-Authenticator, as the module of Debian 12 sends it."""
    shown = hidden(asked.password, asked.authenticator, secret) if password is None else password
    body = (
        attribute(Attribute.USER_NAME, asked.user) + bytes((Attribute.USER_PASSWORD, len(shown) + 2)) + shown + b"".join(more)
    )
    return bytes((1, asked.identifier)) + (20 + len(body)).to_bytes(2) + asked.authenticator + body


def test_a_password_of_no_length_is_no_proof_of_the_secret(host: Host, ada: Somebody) -> None:
    asked = Asked(identifier=1, authenticator=os.urandom(16), user=ada.name.encode(), password=b"")
    with a_program(host) as program:
        assert program.sends(unsigned_packet(asked, b"", password=b""), within=SOON) is None
        assert program.sends(unsigned_packet(asked, host.secret.encode())) is not None


def test_what_is_sent_again_is_answered_again_and_checked_once(host: Host) -> None:
    """Must hold 12."""
    bob = host.somebody().joins()
    with a_program(host) as program, a_program(host) as elsewhere:
        code = bob.code()
        _, packet = program.asks(bob.name, code, program.begins(bob.name))
        first = program.sends(packet)
        assert first is not None
        assert first[0] == Code.ACCEPT
        assert program.sends(packet) == first
        assert elsewhere.sends(packet, within=SOON) is None  # nor is it told to anybody else
        assert program.answers(bob.name, code, program.begins(bob.name)) is Code.REJECT
    assert guesses(bob) == 2


def test_a_state_is_good_for_its_user_alone_and_cannot_be_made(host: Host, ada: Somebody) -> None:
    bob = host.somebody().joins()
    with a_program(host) as program:
        state = program.begins(ada.name)
        for user, said in ((bob.name, state), (ada.name, bytes(len(state))), (ada.name, state[:-1] + bytes([state[-1] ^ 1]))):
            assert program.sends(program.asks(user, bob.code(), said)[1], within=SOON) is None
    assert guesses(bob) == 0


def test_the_answer_begins_with_a_message_authenticator(host: Host, ada: Somebody) -> None:
    """CVE-2024-3596: whatever the request had."""
    with a_program(host) as program:
        asked, signed = program.asks(ada.name)
        other = replace(asked, authenticator=os.urandom(16))
        for packet in (signed, unsigned_packet(other, host.secret.encode())):
            answer = program.sends(packet)
            assert answer is not None
            assert answer[20:22] == bytes((Attribute.MESSAGE_AUTHENTICATOR, 18))


def test_who_saw_one_packet_of_the_host_can_begin_with_it_and_guess_nothing(host: Host) -> None:
    """Whoever had the port while the server started anew: an empty password shows what hides others there."""
    bob = host.somebody().joins()
    secret, seen = host.secret.encode(), os.urandom(16)
    stream = hidden(b"", seen, secret)

    def forged(password: str, state: bytes = b"") -> bytes:
        asked = Asked(identifier=7, authenticator=seen, user=bob.name.encode(), password=b"")
        shown = bytes(one ^ other for one, other in zip(password.encode().ljust(16, b"\0"), stream, strict=True))
        return unsigned_packet(asked, b"", *([attribute(Attribute.STATE, state)] if state else []), password=shown)

    with a_program(host) as program:
        begun = program.sends(forged(""))
        assert begun is not None
        for state in (value_of(begun, Attribute.STATE), program.begins(bob.name)):
            assert program.sends(forged(bob.wrong_code(), state), within=SOON) is None
        assert program.sends(forged("")) == begun  # the same packet again is answered as ever
        assert program.answers(bob.name, bob.code(), program.begins(bob.name)) is Code.ACCEPT
    assert guesses(bob) == 1


@pytest.mark.parametrize("name", [b"\xff\xfe", b"a\nb", "ａｄａ".encode(), b"x" * 253, b"../../etc", b"'; drop table accounts"])
def test_odd_names_are_asked_like_any_other_and_let_in_nobody(host: Host, name: bytes) -> None:
    """Must hold 3."""
    with a_program(host) as program:
        asked = Asked(identifier=3, authenticator=os.urandom(16), user=name, password=b"")
        answer = program.sends(question(asked, program.secret))
        assert answer is not None
        state = value_of(answer, Attribute.STATE)
        again = replace(asked, identifier=4, authenticator=os.urandom(16), password=b"123456")
        answer = program.sends(question(again, program.secret, ((Attribute.STATE, state),)))
        assert answer is not None
        assert answer[0] == Code.REJECT


def test_nonsense_stops_nothing(host: Host, ada: Somebody) -> None:
    with a_program(host) as program:
        packet = program.asks(ada.name)[1]
        for broken in nonsense(packet):
            program.socket.send(broken)
        assert program.begins(ada.name)


def nonsense(packet: bytes) -> Iterator[bytes]:
    """Return packets that are none, each beginning as a good one does."""
    yield from (packet[:size] for size in range(len(packet)))
    yield packet + b"\0"
    yield from (bytes((code,)) + packet[1:] for code in (0, 2, 3, 4, 11, 12, 255))
    for at in (*range(2, 20), *range(21, len(packet))):  # without the first attribute, the signature, it is a good packet
        yield packet[:at] + bytes((packet[at] ^ 0xFF,)) + packet[at + 1 :]


def test_everything_but_a_request_that_is_whole_is_refused() -> None:
    asked = Asked(identifier=1, authenticator=os.urandom(16), user=b"ada", password=b"123456")
    good = question(asked, b"secret")
    assert read(good, b"secret") == replace(asked, is_signed=True)
    for broken in nonsense(good):
        with pytest.raises(BadPacket):
            read(broken, b"secret")
    for kind in (3, 33, 79):
        with pytest.raises(BadPacket, match="attribute"):
            read(unsigned_packet(asked, b"secret", bytes((kind, 18)) + bytes(16)), b"secret")
    with pytest.raises(BadPacket, match="twice"):
        read(unsigned_packet(asked, b"secret", attribute(Attribute.USER_NAME, b"bob")), b"secret")


def test_radclient_of_freeradius_takes_the_answers(host: Host, tmp_path: Path) -> None:
    """Another implementation checks authenticators and signatures of both ways."""
    need("radclient", install="apt-get install freeradius-utils")
    bob = host.somebody().joins()
    secret = tmp_path / "secret"
    secret.write_text(host.secret)

    def told(**attributes: str) -> str:
        text = ", ".join(f"{name.replace('_', '-')} = {value}" for name, value in attributes.items())
        command = ["radclient", "-x", "-r", "1", "-t", "60", "-S", str(secret), host.socket.removeprefix("udp:"), "auth"]
        done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
        return done.stdout + done.stderr

    first = told(User_Name=f'"{bob.name}"', User_Password='""', Message_Authenticator="0x00")
    assert "Received Access-Challenge" in first
    assert "One-time code" in first
    state = next(line.split("=")[1].strip() for line in first.splitlines() if line.strip().startswith("State"))
    last = told(User_Name=f'"{bob.name}"', User_Password=f'"{bob.code()}"', State=state, Message_Authenticator="0x00")
    assert "Received Access-Accept" in last
