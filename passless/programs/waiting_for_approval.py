"""What `pam_exec.so` runs where a host can show words and nobody can type: it shows a code and an address, and waits.

    python -I -m passless.programs.waiting_for_approval FILE

FILE is that of the PAM module, with the server and the secret; user, service and where they come from stand in the environment,
as `pam_exec.so` says them. It ends well only when the server said so, in a packet that nobody else could make.
"""

from __future__ import annotations

import os
import secrets
import socket
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from passless.programs.radius_packets import Asked, Attribute, Code, is_answer, question, value_of

PRESS_ENTER = ", then press Enter here: "  # how the server's words end for who can type
GOES_ON = ". It goes on here by itself."
NOT_THERE = "The server that checks the second step does not answer now; try again later."
NOT_APPROVED = "Nobody approved it, or somebody refused."
SSHD = "ssh"  # what sshd calls its terminal at PAM
NOT_FOR_SSHD = (
    "sshd shows nothing while somebody waits, so nobody can approve this: its service file is the one that ends in -code."
)
LARGEST = 4096  # bytes


class Where(NamedTuple):
    """The server, the secret, and how many seconds an answer may take."""

    host: str
    port: int
    secret: bytes
    timeout: float


def run(file: Path, environ: Mapping[str, str]) -> int:
    """Ask until somebody approved, refused, or was too late; return the status to end with. Under sshd it ends at once."""
    if environ.get("PAM_TTY") == SSHD:
        return _end(NOT_FOR_SSHD)
    where = read(file)
    state, is_shown = b"", False
    with _socket(where) as asking:
        while True:
            try:
                answer = _ask(asking, where.secret, environ, state)
            except OSError:
                return _end(NOT_THERE)
            if answer[0] != Code.CHALLENGE:
                return 0 if answer[0] == Code.ACCEPT else _end(NOT_APPROVED)
            text = value_of(answer, Attribute.REPLY_MESSAGE).decode(errors="replace")
            if text.endswith(PRESS_ENTER) and not is_shown:
                _show(text.removesuffix(PRESS_ENTER) + GOES_ON)
                is_shown = True
            elif not is_shown and state:
                return _end(text.partition(".")[0] + ".")  # the server has no code to show now
            state = value_of(answer, Attribute.STATE)


def is_answered(file: Path, user: str) -> bool:
    """Tell whether the server asks this host for a second step of somebody, as it asks for everybody's."""
    where = read(file)
    try:
        with _socket(where) as asking:
            return _ask(asking, where.secret, {"PAM_USER": user, "PAM_SERVICE": "test"}, b"")[0] == Code.CHALLENGE
    except OSError:
        return False


def read(file: Path) -> Where:
    """Return what stands in the module's file; `ValueError` where that is something else."""
    lines = [one for one in file.read_text().splitlines() if one.strip() and not one.startswith("#")]
    server, secret, timeout = " ".join(lines[:1]).split()
    host, _, port = server.rpartition(":")
    return Where(host.strip("[]"), int(port), secret.encode(), float(timeout))


def _socket(where: Where) -> socket.socket:
    asking = socket.socket(socket.AF_INET6 if ":" in where.host else socket.AF_INET, socket.SOCK_DGRAM)
    asking.settimeout(where.timeout)
    asking.connect((where.host, where.port))
    return asking


def _ask(asking: socket.socket, secret: bytes, environ: Mapping[str, str], state: bytes) -> bytes:
    """Send a packet, and return the answer to it; what is none of the server's is passed over."""
    asked = Asked(
        identifier=secrets.randbelow(256),
        authenticator=secrets.token_bytes(16),
        user=os.fsencode(environ.get("PAM_USER", "")),
        password=b"",
    )
    said = {
        Attribute.NAS_IDENTIFIER: os.fsencode(environ.get("PAM_SERVICE", "")),
        Attribute.CALLING_STATION_ID: os.fsencode(environ.get("PAM_RHOST", "")),
        Attribute.STATE: state,
    }
    asking.send(question(asked, secret, [(kind, value) for kind, value in said.items() if value]))
    while True:
        answer = asking.recv(LARGEST)
        if is_answer(answer, asked, secret):
            return answer


def _show(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _end(text: str) -> int:
    _show(text)
    return 1


def main(arguments: Sequence[str]) -> int:
    """Run it."""
    return run(Path(arguments[0]), os.environ)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
