"""How security keys look."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import RenderableType
from rich.text import Text

from passless.devices.reader import KeyCredential, KeyFingerprint, KeyState
from passless.output.drawing import Look, facts, listing, mark, safe
from passless.output.human import list_of, view
from passless.output.machine_results import KeyPlan


@list_of(KeyState)
def keys(items: Sequence[KeyState], look: Look) -> RenderableType:
    """Draw the keys that are plugged in."""
    lines = [
        (
            mark(good=one.problem is None),
            safe(one.name, "bold"),
            safe(one.serial or "–"),
            safe(one.firmware or "–"),
            _pin(one) if one.problem is None else safe(f"{one.problem}: {one.hint or ''}", "red"),
            safe(one.id, "dim"),
        )
        for one in items
    ]
    return listing(look, ("", "key", "serial", "firmware", "PIN", "id"), lines, nothing="no security key is plugged in")


@view.register
def key(result: KeyState, look: Look) -> RenderableType:
    """Draw one key."""
    return facts(_facts(result))


def _facts(one: KeyState) -> Iterator[tuple[str, RenderableType]]:
    yield "key", safe(one.name, "bold")
    if one.model:
        yield "model", safe(one.model)
    yield "id", safe(one.id)
    yield "serial", safe(one.serial or "–")
    yield "firmware", safe(one.firmware or "–")
    yield "speaks", safe(", ".join(one.versions) or "–")
    yield "over", safe(", ".join(one.transports) or "–")
    yield "PIN", _pin(one)
    yield "fingerprints", safe(_fingers(one))
    yield "passkeys", safe(_slots(one))
    if one.problem:
        yield "problem", safe(f"{one.problem}: {one.hint or ''}", "red")


def _pin(one: KeyState) -> Text:
    if one.has_pin is None:
        return safe("takes none", "dim")
    if not one.has_pin:
        return safe("not set: passless key pin set", "yellow")
    if one.pin_tries_left == 0:
        return safe("blocked for good", "red")
    state = "set" if one.pin_tries_left is None else f"set, {one.pin_tries_left} tries left"
    return safe(f"{state}{', must be changed' if one.pin_change_needed else ''}", "green")


def _fingers(one: KeyState) -> str:
    if not one.takes_fingerprints:
        return "it has no reader"
    return "it knows some" if one.has_fingerprints else "it knows none yet"


def _slots(one: KeyState) -> str:
    if not one.stores_credentials:
        return "it keeps none"
    return "it keeps some" if one.credential_slots_left is None else f"room for {one.credential_slots_left} more"


@list_of(KeyCredential)
def credentials(items: Sequence[KeyCredential], look: Look) -> RenderableType:
    """Draw the passkeys on a key."""
    lines = [
        (safe(one.rp_id, "bold"), safe(one.user_name or "–"), safe(one.display_name or "–"), safe(one.id, "dim"))
        for one in items
    ]
    return listing(look, ("where", "account", "name", "id"), lines, nothing="the key keeps no passkeys")


@list_of(KeyFingerprint)
def fingerprints(items: Sequence[KeyFingerprint], look: Look) -> RenderableType:
    """Draw the fingers that a key knows."""
    lines = [(safe(one.name or "–", "bold"), safe(one.id, "dim")) for one in items]
    return listing(look, ("finger", "id"), lines, nothing="the key knows no fingers")


@view.register
def key_plan(result: KeyPlan, look: Look) -> RenderableType:
    """Draw what would be done to a key."""
    return safe(f'this would {result.change}, on "{result.key}"; nothing was changed')
