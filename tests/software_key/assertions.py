"""authenticatorGetAssertion and authenticatorGetNextAssertion (CTAP 2.1 §6.2 and §6.3)."""

from __future__ import annotations

from typing import Any

from fido2.ctap import CtapError

from . import extensions, key_pairs
from .core import ERR, Answer, Core, Request, optional, required
from .credentials import auth_data, find_listed
from .memory import Credential
from .presence import Evidence, answer_probe, verify_user
from .tokens import Permission

RP_ID, HASH, ALLOWED, EXTENSIONS, OPTIONS, CODE, PROTOCOL = range(1, 8)
NEXT_WITHIN = 30.0  # seconds; CTAP 2.1 §6.3


def get_assertion(core: Core, request: Request) -> Answer:
    """Sign with one credential of a relying party; keep the signatures of the others ready."""
    answer_probe(core, optional(request, CODE, bytes))
    rp_id, client_data_hash = required(request, RP_ID, str), required(request, HASH, bytes)
    options = optional(request, OPTIONS, dict) or {}
    if "rk" in options:
        raise CtapError(ERR.UNSUPPORTED_OPTION)
    wants_touch = optional(options, "up", bool) is not False
    evidence = verify_user(
        core,
        optional(request, CODE, bytes),
        optional(request, PROTOCOL, int),
        client_data_hash,
        permission=Permission.GET_ASSERTION,
        rp_id=rp_id,
        wants_finger=bool(optional(options, "uv", bool)),
        always=core.memory.always_uv and wants_touch,
        may_skip=True,
    )
    verified = evidence.verified
    usable = _usable(core, request, rp_id, evidence)
    # Also without a credential: only a person at the key may learn that there is none.
    if wants_touch:
        evidence.collect_touch(core)
    if not usable:
        raise CtapError(ERR.NO_CREDENTIALS)
    answers = [_sign(core, credential, request, verified=verified, present=wants_touch) for credential in usable]
    if len(answers) > 1:
        answers[0][5] = len(answers)
    core.power.next_assertions = answers[1:]
    core.power.next_assertions_until = core.clock() + NEXT_WITHIN
    return answers[0]


def get_next_assertion(core: Core, request: Request) -> Answer:
    """Give the next signature of the assertion before."""
    if not core.power.next_assertions or core.clock() > core.power.next_assertions_until:
        raise CtapError(ERR.NOT_ALLOWED)
    core.power.next_assertions_until = core.clock() + NEXT_WITHIN
    return core.power.next_assertions.pop(0)


def _usable(core: Core, request: Request, rp_id: str, evidence: Evidence) -> list[Credential]:
    allowed = optional(request, ALLOWED, list)
    if allowed is None or not allowed:
        found = [credential for credential in reversed(core.memory.discoverable) if credential.rp_id == rp_id]
        hidden_from = 2  # credProtect: without a list, level 2 needs verification
    else:
        found, hidden_from = find_listed(core, allowed, rp_id), 3
    usable = [credential for credential in found if evidence.verified or credential.protection < hidden_from]
    return usable[:1] if allowed else usable


def _sign(core: Core, credential: Credential, request: Request, *, verified: bool, present: bool) -> Answer:
    inputs = optional(request, EXTENSIONS, dict) or {}
    outputs = extensions.at_use(core, credential, inputs, verified=verified, present=present)
    data = auth_data(core, credential, verified=verified, present=present, attested=False, outputs=outputs)
    signature = key_pairs.sign(credential.algorithm, credential.private_key, data + required(request, HASH, bytes))
    answer: Answer = {1: {"id": credential.id, "type": "public-key"}, 2: data, 3: signature}
    if credential.discoverable:
        answer[4] = _user(credential, with_names=verified and not request.get(ALLOWED))
    if inputs.get("largeBlobKey") and credential.large_blob_key:
        answer[7] = credential.large_blob_key
    return answer


def _user(credential: Credential, *, with_names: bool) -> dict[str, Any]:
    """Names identify a person: they are told to the verified owner alone (CTAP 2.1 §6.2.2 step 13)."""
    user: dict[str, Any] = {"id": credential.user.id}
    if with_names and credential.user.name is not None:
        user["name"] = credential.user.name
    if with_names and credential.user.display_name is not None:
        user["displayName"] = credential.user.display_name
    return user
