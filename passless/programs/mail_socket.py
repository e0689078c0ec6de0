"""Asking on the socket of mail as Dovecot does, for somebody who is nobody: they are to be unknown, and said to be so."""

from __future__ import annotations

import socket
from hashlib import sha256

from passless.programs.setting_up import Finding

UNIX = "unix:"
PATIENCE = 5.0  # seconds for a socket on this machine
NOBODY = "passless-test-nobody"  # who has no account


def look_at(address: str) -> Finding:
    """Ask at an address as `Setup.socket` says it."""
    path = address.removeprefix(UNIX)
    digest = sha256(NOBODY.encode()).hexdigest()
    question = f"H3\t0\t0\t\tpassless\nLshared/passdb/imap/{digest}/127.0.0.1/{NOBODY}\t\n".encode()
    try:
        with socket.socket(socket.AF_UNIX) as asking:
            asking.settimeout(PATIENCE)
            asking.connect(path)
            asking.sendall(question)
            said = asking.recv(4096)
    except OSError as error:
        hint = f"serve it: passless serve … --socket NAME={address}"
        return Finding(check="socket", ok=False, message=f"{path}: {error.strerror or 'no answer in time'}", hint=hint)
    if said.startswith(b"N"):
        return Finding(check="socket", ok=True, message=f"{path} answers, and says of a made-up name that nobody has it")
    hint = "see the server's log; while its store is away it cannot say"
    return Finding(check="socket", ok=False, message=f"{path} does not say whether anybody has a made-up name", hint=hint)
