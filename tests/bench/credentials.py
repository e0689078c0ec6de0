"""What checking a proof costs: `python -m tests.bench.credentials`.

Ratios, because they hold from one machine to the next; each figure is the best of several rounds, in CPU time.
"""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256
from hmac import digest
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from fido2.server import Fido2Server
from fido2.webauthn import Aaguid, AttestedCredentialData, PublicKeyCredentialRpEntity

from passless.credentials import totp
from passless.credentials.passkey_sign_in import begin_sign_in, finish_sign_in
from passless.credentials.passkeys import embedded_relying_party, to_base64
from passless.domain.secret import Secret
from tests.credentials.authenticator import Authenticator, entropy

ROUNDS = 7
SECONDS = 0.3  # of CPU for one round


def cost(run: Callable[[], Any]) -> float:
    """Return the CPU time of one call in microseconds: the best of several rounds."""
    best, calls = float("inf"), 1
    for _ in range(ROUNDS):
        while True:
            started = time.process_time()
            for _ in range(calls):
                run()
            spent = time.process_time() - started
            if spent > SECONDS / 2:
                break
            calls *= 2
        best = min(best, spent / calls)
    return best * 1e6


def signature_check() -> Callable[[], Any]:
    """One bare ECDSA P-256 verification with a key that is ready."""
    private = ec.derive_private_key(7, ec.SECP256R1())
    message = bytes(37 + 32)
    signature, public = private.sign(message, ec.ECDSA(hashes.SHA256())), private.public_key()
    return lambda: public.verify(signature, message, ec.ECDSA(hashes.SHA256()))


def passkey_checks() -> tuple[Callable[[], Any], Callable[[], Any]]:
    """The same sign-in from its JSON on, checked here and by stock fido2."""
    here, key = embedded_relying_party("s1a2b3"), Authenticator()
    known = key.known(here.id)
    expected = begin_sign_in(here, origin=here.terminal_origin, allowed=[known.credential], entropy=entropy).expected
    answer = key.sign_in(expected)
    server = Fido2Server(PublicKeyCredentialRpEntity(id=here.id, name="passless"))
    kept = AttestedCredentialData(Aaguid.NONE + len(key.credential_id).to_bytes(2) + key.credential_id + key.public_key)
    state = {"challenge": to_base64(expected.challenge), "user_verification": None}
    return (
        lambda: finish_sign_in(expected, [known], answer),
        lambda: server.authenticate_complete(state, [kept], json.loads(answer)),
    )


def code_check() -> Callable[[], Any]:
    """A right TOTP code."""
    seed, at = Secret("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"), datetime(1970, 1, 1, 0, 0, 59, tzinfo=UTC)
    code = Secret("287082")
    return lambda: totp.verify(seed, code, at=at, last_step=None)


def tag_check() -> Callable[[], Any]:
    """The keyed hash by which an app password is found."""
    key, secret = bytes(32), Secret("abcdefghijklmnopqrstuvwx")
    return lambda: digest(key, b"app-password\0" + secret.encode(), sha256)


def main() -> None:
    """Print every figure."""
    bare = cost(signature_check())
    here, fido2 = (cost(run) for run in passkey_checks())
    print(f"one ECDSA P-256 verification  {bare:8.1f} µs")
    print(f"passkey check                 {here:8.1f} µs  {here / bare:5.1f} ×")
    print(f"stock fido2                   {fido2:8.1f} µs  {fido2 / bare:5.1f} ×")
    print(f"TOTP check                    {cost(code_check()):8.1f} µs")
    print(f"app password tag check        {cost(tag_check()):8.1f} µs")


if __name__ == "__main__":
    main()
