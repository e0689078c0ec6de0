"""Adding, changing and choosing the places where accounts live."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from passless.cli.failures import MissingInput
from passless.domain.errors import CannotDoThat, WrongUse
from passless.domain.names import clean, key, printable
from passless.output.machine_results import ProfileView
from passless.policy_file import read_policy
from passless.settings import BadProfile, Place, Profile, VaultChoice

if TYPE_CHECKING:
    from passless.cli.context import Run

PLACES = "--store URL"


class NotBuiltYet(CannotDoThat):
    """What a later version does."""

    code = "not-built-yet"
    hint = "use a store on this machine: passless profile add NAME --store sqlite:////absolute/path"


class VaultWish(StrEnum):
    """Where a store's vault key is kept."""

    AUTO = "auto"
    KEYRING = "keyring"
    FILE = "file"


class Wish(Struct, frozen=True, kw_only=True):
    """What a profile is to be; None leaves it as it is."""

    name: str
    store: str | None
    server: str | None
    provider: str | None
    vault: VaultWish | None
    policy: str | None


def add(run: Run, wish: Wish) -> ProfileView:
    """Add a profile."""
    place, address = _place(wish) or _nowhere()
    vault: VaultChoice = _vault(wish) or "auto"
    profile = Profile(name=clean(wish.name, what="profile name"), place=place, address=address, vault=vault)
    profile = replace(profile, policy=_policy(wish, None))
    if any(key(one.name) == key(profile.name) for one in run.settings.profiles()):
        raise BadProfile(
            f'there is a profile "{profile.name}" already', hint=f"change it: passless profile set {quote(profile.name)}"
        )
    if run.given.dry_run:
        return view(run, profile, applied=False)
    return view(run, run.settings.add(profile), applied=True)


def change(run: Run, wish: Wish) -> ProfileView:
    """Change a profile, and take a vault key that can be read along."""
    before = run.settings.profile(wish.name)
    place, address = _place(wish) or (before.place, before.address)
    vault = _vault(wish) or before.vault
    after = replace(before, place=place, address=address, vault=vault, policy=_policy(wish, before.policy))
    if after == before and wish.vault is None and wish.policy is None:
        raise MissingInput("what to change", "--vault, --policy or --store")
    if run.given.dry_run:
        return view(run, after, applied=False)
    if address != before.address:
        run.confirm(f'let the profile "{before.name}" be another place? its accounts stay where they are')
    elif vault != before.vault:
        _move_key(run, before, after)
    return view(run, run.settings.replace(after, before=before), applied=True)


def everyone(run: Run) -> Iterator[ProfileView]:
    """List the profiles."""
    for profile in run.settings.profiles():
        yield view(run, profile)


def use(run: Run, name: str) -> ProfileView:
    """Choose a profile."""
    if run.given.dry_run:
        return view(run, run.settings.profile(name), applied=False)
    return view(run, run.settings.use(name), applied=True)


def remove(run: Run, name: str) -> ProfileView:
    """Forget a profile."""
    profile = run.settings.profile(name)
    if run.given.dry_run:
        return view(run, profile, applied=False)
    run.confirm(f'forget the profile "{profile.name}"? its accounts stay where they are')
    return view(run, run.settings.remove(name), applied=True)


def view(run: Run, profile: Profile, *, applied: bool | None = None) -> ProfileView:
    """Return what is shown of a profile."""
    return ProfileView(
        name=profile.name,
        place=profile.place,
        address=profile.address,
        vault=profile.vault,
        policy=profile.policy,
        chosen=key(profile.name) == key(run.settings.chosen),
        applied=applied,
    )


def _place(wish: Wish) -> tuple[Place, str] | None:
    """Return the one place that was named."""
    named = [
        flag for flag, value in (("--store", wish.store), ("--server", wish.server), ("--provider", wish.provider)) if value
    ]
    if len(named) > 1:
        raise WrongUse(f"{' and '.join(named)} name two places", hint="a profile is one place: leave one of them out")
    if wish.server:
        raise NotBuiltYet("profiles on a passless server are not built yet")
    if wish.provider:
        raise NotBuiltYet(f'profiles at an identity provider ("{printable(wish.provider)}") are not built yet')
    if wish.store is None:
        return None
    if wish.store.startswith("postgresql://"):
        raise NotBuiltYet("stores on PostgreSQL are not built yet")
    return ("store", wish.store)


def _nowhere() -> tuple[Place, str]:
    raise MissingInput("the place", PLACES)


def _vault(wish: Wish) -> VaultChoice | None:
    match wish.vault:
        case VaultWish.KEYRING:
            return "keyring"
        case VaultWish.FILE:
            return "file"
        case VaultWish.AUTO:
            return "auto"
        case None:
            return None


def _policy(wish: Wish, before: str | None) -> str | None:
    """Return the policy file, read once to see that it is one."""
    if wish.policy is None:
        return before
    if not wish.policy:
        return None
    read_policy(Path(wish.policy))
    return str(Path(wish.policy).absolute())


def _move_key(run: Run, before: Profile, after: Profile) -> None:
    """Keep the store's vault key also where it will be looked for from now on."""
    from passless.cli import vault_moving

    if said := vault_moving.copy_key(run, before, after):
        run.note(said)
