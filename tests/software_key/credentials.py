"""authenticatorMakeCredential (CTAP 2.1 §6.1)."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from fido2 import cbor
from fido2.ctap import CtapError

from . import attestation, extensions, key_pairs
from .core import ERR, Answer, Core, Request, optional, required
from .memory import Credential, User
from .presence import Evidence, answer_probe, verify_user
from .tokens import Permission

HASH, RP, USER, ALGORITHMS, EXCLUDED, EXTENSIONS, OPTIONS, CODE, PROTOCOL, ENTERPRISE = range(1, 11)

PRESENT, VERIFIED, ATTESTED, EXTENDED = 0x01, 0x04, 0x40, 0x80  # WebAuthn §6.1, flags
BY_VENDOR, BY_PLATFORM = 1, 2  # CTAP 2.1 §7.1.1, kinds of enterprise attestation


def make_credential(core: Core, request: Request) -> Answer:
    """Make a key pair for a relying party and attest it."""
    answer_probe(core, optional(request, CODE, bytes))
    client_data_hash = required(request, HASH, bytes)
    credential = _asked_for(core, request)
    options = optional(request, OPTIONS, dict) or {}
    if optional(options, "up", bool) is False:
        raise CtapError(ERR.INVALID_OPTION)
    enterprise = _enterprise(core, request, credential.rp_id)
    evidence = verify_user(
        core,
        optional(request, CODE, bytes),
        optional(request, PROTOCOL, int),
        client_data_hash,
        permission=Permission.MAKE_CREDENTIAL,
        rp_id=credential.rp_id,
        wants_finger=bool(optional(options, "uv", bool)),
        always=core.memory.always_uv,
        may_skip=not credential.discoverable,
    )
    _refuse_excluded(core, request, credential.rp_id, evidence)
    verified = evidence.verified
    evidence.collect_touch(core)
    outputs = extensions.at_creation(core, credential, optional(request, EXTENSIONS, dict) or {}, verified=verified)
    _keep(core, credential)
    data = auth_data(core, credential, verified=verified, present=True, attested=True, outputs=outputs)
    statement = attestation.statement(core.model, credential, data + client_data_hash, enterprise=enterprise)
    answer: Answer = {1: "packed", 2: data, 3: statement}
    if enterprise:
        answer[4] = True
    if credential.large_blob_key:
        answer[5] = credential.large_blob_key
    return answer


def auth_data(
    core: Core, credential: Credential, *, verified: bool, present: bool, attested: bool, outputs: Mapping[str, Any]
) -> bytes:
    """Count the signature to come and put together what it signs (WebAuthn §6.1)."""
    core.memory.counter += 1
    flags = PRESENT * present | VERIFIED * verified | ATTESTED * attested | EXTENDED * bool(outputs)
    data = hashlib.sha256(credential.rp_id.encode()).digest() + bytes([flags]) + core.memory.counter.to_bytes(4, "big")
    if attested:
        public = cbor.encode(key_pairs.public_key(credential.algorithm, credential.private_key))
        data += core.model.aaguid + len(credential.id).to_bytes(2, "big") + credential.id + public
    return data + (cbor.encode(outputs) if outputs else b"")


def find_listed(core: Core, descriptors: Sequence[Any], rp_id: str) -> list[Credential]:
    """The credentials of a relying party that a list names, in the order of the list."""
    by_id = {credential.id: credential for credential in core.memory.credentials if credential.rp_id == rp_id}
    found = []
    for descriptor in descriptors:
        if not isinstance(descriptor, Mapping):
            raise CtapError(ERR.CBOR_UNEXPECTED_TYPE)
        credential = by_id.get(required(descriptor, "id", bytes))
        if credential and required(descriptor, "type", str) == "public-key":
            found.append(credential)
    return found


def user_from(entity: Mapping[str, Any]) -> User:
    """Read a user entity."""
    return User(required(entity, "id", bytes), optional(entity, "name", str), optional(entity, "displayName", str))


def _asked_for(core: Core, request: Request) -> Credential:
    rp, user = required(request, RP, dict), required(request, USER, dict)
    algorithm = _algorithm(core, required(request, ALGORITHMS, list))
    options = optional(request, OPTIONS, dict) or {}
    return Credential(
        id=secrets.token_bytes(32),
        rp_id=required(rp, "id", str),
        rp_name=optional(rp, "name", str),
        user=user_from(user),
        algorithm=algorithm,
        private_key=key_pairs.new_private_key(algorithm),
        discoverable=bool(optional(options, "rk", bool)),
    )


def _algorithm(core: Core, wanted: Sequence[Any]) -> int:
    for parameter in wanted:
        if not isinstance(parameter, Mapping):
            raise CtapError(ERR.CBOR_UNEXPECTED_TYPE)
        algorithm = required(parameter, "alg", int)
        if required(parameter, "type", str) == "public-key" and algorithm in core.model.algorithms:
            return algorithm
    raise CtapError(ERR.UNSUPPORTED_ALGORITHM)


def _enterprise(core: Core, request: Request, rp_id: str) -> bool:
    kind = optional(request, ENTERPRISE, int)
    if kind is None:
        return False
    if not core.memory.enterprise_attestation:
        raise CtapError(ERR.INVALID_PARAMETER)
    if kind not in (BY_VENDOR, BY_PLATFORM):
        raise CtapError(ERR.INVALID_OPTION)
    return kind == BY_PLATFORM or rp_id in core.model.enterprise_rp_ids


def _refuse_excluded(core: Core, request: Request, rp_id: str, evidence: Evidence) -> None:
    for credential in find_listed(core, optional(request, EXCLUDED, list) or [], rp_id):
        if credential.protection == 3 and not evidence.verified:
            continue
        # Only a person at the key may learn that it is already registered.
        evidence.collect_touch(core)
        raise CtapError(ERR.CREDENTIAL_EXCLUDED)


def _keep(core: Core, credential: Credential) -> None:
    memory = core.memory
    if credential.discoverable:
        # A second discoverable credential for the same user replaces the first (CTAP 2.1 §6.1.2 step 17).
        same = [old for old in memory.discoverable if (old.rp_id, old.user.id) == (credential.rp_id, credential.user.id)]
        memory.credentials = [old for old in memory.credentials if old not in same]
        if len(memory.discoverable) >= core.model.capacity:
            raise CtapError(ERR.KEY_STORE_FULL)
    memory.credentials.append(credential)
