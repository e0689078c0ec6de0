"""What can go wrong between this machine and a passless server; each says what to do."""

from __future__ import annotations

from datetime import timedelta

from passless.domain.errors import Unavailable

LOOK = "see what works: passless doctor"


class ServerUnreachable(Unavailable):
    """Nobody answered: no network, no such host, nothing listening, or not in time."""

    code = "server-unreachable"
    hint = f"check the network and the address of the profile; {LOOK}"


class ServerNotTrusted(Unavailable):
    """TLS failed; nothing was sent."""

    code = "server-not-trusted"
    hint = "check the address; for a private authority name its certificate: passless profile set NAME --ca-file FILE"


class ServerTroubled(Unavailable):
    """The server, or a proxy before it, could not answer just now."""

    code = "server-unavailable"
    hint = f"try again in a moment; {LOOK}"


class NotPassless(Unavailable):
    """Something answers at the address, but no passless server."""

    code = "not-a-passless-server"
    hint = f"check the address of the profile: passless profile show; {LOOK}"


class OtherVersion(Unavailable):
    """The server speaks another version of the interface."""

    code = "other-version"
    hint = "use the passless of the server's version"


class AnswerLost(Unavailable):
    """It was done, and the answer with its new secret was lost on the way."""

    code = "answer-lost"
    hint = "look what is there, take it back, and ask for a new one: passless status"
    default = "it was done, but the answer with the new secret was lost on the way"


class ForeignOrigin(Unavailable):
    """The server asks a key to sign for another address than the one of the profile."""

    code = "foreign-origin"

    def __init__(self, own: str, named: str) -> None:
        super().__init__(
            f'the server asks a key to sign for "{named}", and the profile is at "{own}"',
            hint="nothing was signed; if that is the server's own address, use it: passless profile set NAME --server URL",
        )


class Challenge(Exception):
    """What a server asks of a fresh proof (RFC 9470); the cause of the error that it came with."""

    def __init__(self, strength: int, max_age: timedelta) -> None:
        super().__init__()
        self.strength = strength
        self.max_age = max_age


STEP_UP = Challenge(1, timedelta(minutes=10))  # security.md, "session"; where the server did not say what it asks


def challenge_of(error: BaseException) -> Challenge | None:
    """Return what kind of fresh proof an error asks for, where a server said so."""
    return error.__cause__ if isinstance(error.__cause__, Challenge) else None
