"""authenticatorCredentialManagement: list, delete and rename discoverable credentials (CTAP 2.1 §6.8)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

from fido2 import cbor
from fido2.ctap import CtapError

from . import key_pairs
from .core import ERR, Answer, Core, Request, optional, required
from .credentials import user_from
from .memory import Credential
from .tokens import Permission, Token, check_token

SUBCOMMAND, PARAMETERS, PROTOCOL, CODE = 1, 2, 3, 4
RP_ID_HASH, CREDENTIAL_ID, USER = 1, 2, 3


def credential_management(core: Core, request: Request) -> Answer:
    """Run one subcommand."""
    if not core.model.credential_management:
        raise CtapError(ERR.INVALID_COMMAND)
    number = required(request, SUBCOMMAND, int)
    if number in NEXT:
        return NEXT[number](core)
    if number not in SUBCOMMANDS:
        raise CtapError(ERR.INVALID_SUBCOMMAND)
    parameters = optional(request, PARAMETERS, dict)
    message = bytes([number]) + (b"" if parameters is None else cbor.encode(parameters))
    code, version = optional(request, CODE, bytes), optional(request, PROTOCOL, int)
    token = check_token(core, code, version, message, permission=Permission.CREDENTIAL_MANAGEMENT)
    return SUBCOMMANDS[number](core, parameters or {}, token)


def _metadata(core: Core, parameters: Request, token: Token) -> Answer:
    _refuse_narrow(token)
    used = len(core.memory.discoverable)
    return {1: used, 2: core.model.capacity - used}


def _relying_parties(core: Core, parameters: Request, token: Token) -> Answer:
    _refuse_narrow(token)
    names: dict[str, str | None] = {}
    for credential in core.memory.discoverable:
        names.setdefault(credential.rp_id, credential.rp_name)
    answers = [_relying_party(rp_id, name) for rp_id, name in names.items()]
    if not answers:
        raise CtapError(ERR.NO_CREDENTIALS)
    answers[0][5] = len(answers)
    core.power.next_relying_parties = answers[1:]
    return answers[0]


def _relying_party(rp_id: str, name: str | None) -> Answer:
    entity = {"id": rp_id} if name is None else {"id": rp_id, "name": name}
    return {3: entity, 4: hashlib.sha256(rp_id.encode()).digest()}


def _credentials(core: Core, parameters: Request, token: Token) -> Answer:
    rp_id_hash = required(parameters, RP_ID_HASH, bytes)
    found = [
        credential
        for credential in core.memory.discoverable
        if hashlib.sha256(credential.rp_id.encode()).digest() == rp_id_hash and token.rp_id in (None, credential.rp_id)
    ]
    if not found:
        raise CtapError(ERR.NO_CREDENTIALS)
    answers = [_credential(core, credential) for credential in found]
    answers[0][9] = len(answers)
    core.power.next_credentials = answers[1:]
    return answers[0]


def _credential(core: Core, credential: Credential) -> Answer:
    user: dict[str, Any] = {"id": credential.user.id}
    if credential.user.name is not None:
        user["name"] = credential.user.name
    if credential.user.display_name is not None:
        user["displayName"] = credential.user.display_name
    answer: Answer = {
        6: user,
        7: {"id": credential.id, "type": "public-key"},
        8: key_pairs.public_key(credential.algorithm, credential.private_key),
        10: credential.protection,
    }
    if credential.large_blob_key:
        answer[11] = credential.large_blob_key
    if "thirdPartyPayment" in core.model.extensions:
        answer[12] = credential.is_payment
    return answer


def _next_relying_party(core: Core) -> Answer:
    if not core.power.next_relying_parties:
        raise CtapError(ERR.NOT_ALLOWED)
    return core.power.next_relying_parties.pop(0)


def _next_credential(core: Core) -> Answer:
    if not core.power.next_credentials:
        raise CtapError(ERR.NOT_ALLOWED)
    return core.power.next_credentials.pop(0)


def _delete(core: Core, parameters: Request, token: Token) -> Answer:
    credential = _named(core, parameters, token)
    core.memory.credentials = [other for other in core.memory.credentials if other is not credential]
    return {}


def _update_user(core: Core, parameters: Request, token: Token) -> Answer:
    credential = _named(core, parameters, token)
    user = user_from(required(parameters, USER, dict))
    if user.id != credential.user.id:
        raise CtapError(ERR.INVALID_PARAMETER)
    credential.user = user
    return {}


def _named(core: Core, parameters: Mapping[int, Any], token: Token) -> Credential:
    wanted = required(required(parameters, CREDENTIAL_ID, dict), "id", bytes)
    for credential in core.memory.discoverable:
        if credential.id == wanted:
            if token.rp_id not in (None, credential.rp_id):
                raise CtapError(ERR.PIN_AUTH_INVALID)
            return credential
    raise CtapError(ERR.NO_CREDENTIALS)


def _refuse_narrow(token: Token) -> None:
    """A token for one relying party says nothing about the others."""
    if token.rp_id is not None:
        raise CtapError(ERR.PIN_AUTH_INVALID)


SUBCOMMANDS: dict[int, Callable[[Core, Request, Token], Answer]] = {
    0x01: _metadata,
    0x02: _relying_parties,
    0x04: _credentials,
    0x06: _delete,
    0x07: _update_user,
}
NEXT: dict[int, Callable[[Core], Answer]] = {0x03: _next_relying_party, 0x05: _next_credential}
