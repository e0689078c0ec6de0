"""Adding, changing and choosing the places where accounts live."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import asdict, replace

from passless.cli.failures import Contradiction, MissingInput
from passless.domain.errors import CannotDoThat, WrongUse
from passless.domain.names import clean, key, printable
from passless.output.machine_results import ChosenProfile, ProfileView, ServerSeen
from passless.policy_file import read_policy
from passless.settings import BadProfile, Place, Profile, VaultChoice, server_origin

if TYPE_CHECKING:
    from passless.cli.context import Run

PLACES = "--store URL or --server URL"


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
    ca: str | None = None
    password: str | None = None


def add(run: Run, wish: Wish) -> ProfileView:
    """Add a profile."""
    place, address = _place(wish) or _nowhere()
    vault: VaultChoice = _vault(wish) or "auto"
    profile = Profile(name=clean(wish.name, what="profile name"), place=place, address=address, vault=vault)
    profile = replace(
        profile, policy=_policy(wish, None), ca=_ca(wish, place, None), password_file=_password_file(wish, address, None)
    )
    if any(key(one.name) == key(profile.name) for one in run.settings.profiles()):
        raise BadProfile(
            f'there is a profile "{profile.name}" already', hint=f"change it: passless profile set {quote(profile.name)}"
        )
    server = _seen(run, profile)
    if run.given.dry_run:
        return view(run, profile, applied=False, server=server)
    return view(run, run.settings.add(profile), applied=True, server=server)


def change(run: Run, wish: Wish) -> ProfileView:
    """Change a profile, and take a vault key that can be read along."""
    before = run.settings.profile(wish.name)
    place, address = _place(wish) or (before.place, before.address)
    vault = _vault(wish) or before.vault
    ca = _ca(wish, place, before.ca)
    password = _password_file(wish, address, before.password_file)
    after = replace(before, place=place, address=address, vault=vault, policy=_policy(wish, before.policy), ca=ca)
    after = replace(after, password_file=password)
    if after == before and wish.vault is None and wish.policy is None:
        raise MissingInput("what to change", "--vault, --policy, --store or --server")
    is_elsewhere = (address, ca, password) != (before.address, before.ca, before.password_file)
    server = _seen(run, after) if is_elsewhere else None
    if run.given.dry_run:
        return view(run, after, applied=False, server=server)
    if address != before.address:
        run.confirm(f'let the profile "{before.name}" be another place? its accounts stay where they are')
        _forget_sessions(run, before)
    elif vault != before.vault and place == "store":
        _move_key(run, before, after)
    return view(run, run.settings.replace(after, before=before), applied=True, server=server)


def everyone(run: Run) -> Iterator[ProfileView]:
    """List the profiles."""
    for profile in run.settings.profiles():
        yield view(run, profile)


def use(run: Run, name: str) -> ProfileView:
    """Choose a profile."""
    if run.given.dry_run:
        return view(run, run.settings.profile(name), applied=False)
    return ChosenProfile(**asdict(view(run, run.settings.use(name), applied=True)))


def remove(run: Run, name: str) -> ProfileView:
    """Forget a profile."""
    profile = run.settings.profile(name)
    if run.given.dry_run:
        return view(run, profile, applied=False)
    run.confirm(f'forget the profile "{profile.name}"? its accounts stay where they are')
    _forget_sessions(run, profile)
    return view(run, run.settings.remove(name), applied=True)


def view(run: Run, profile: Profile, *, applied: bool | None = None, server: ServerSeen | None = None) -> ProfileView:
    """Return what is shown of a profile."""
    return ProfileView(
        name=profile.name,
        place=profile.place,
        address=profile.address,
        vault=profile.vault,
        policy=profile.policy,
        chosen=key(profile.name) == key(run.settings.chosen),
        applied=applied,
        ca=profile.ca,
        server=server,
        password_file=profile.password_file,
    )


def _place(wish: Wish) -> tuple[Place, str] | None:
    """Return the one place that was named."""
    named = [
        flag for flag, value in (("--store", wish.store), ("--server", wish.server), ("--provider", wish.provider)) if value
    ]
    if len(named) > 1:
        raise WrongUse(f"{' and '.join(named)} name two places", hint="a profile is one place: leave one of them out")
    if wish.server:
        return ("server", server_origin(wish.server))
    if wish.provider:
        raise NotBuiltYet(f'profiles at an identity provider ("{printable(wish.provider)}") are not built yet')
    return None if wish.store is None else ("store", wish.store)


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


def _ca(wish: Wish, place: Place, before: str | None) -> str | None:
    """Return the file of certificates, read once to see that it holds some."""
    if wish.ca is None:
        return before if place == "server" else None
    if place != "server":
        raise Contradiction("--ca-file", "a place that is no server")
    if not wish.ca:
        return None
    from passless.directories.server.failing import trusting_only

    trusting_only(wish.ca)
    return str(Path(wish.ca).absolute())


def _password_file(wish: Wish, address: str, before: str | None) -> str | None:
    """Return the file with the password of a store's database; it is read when the database is."""
    on_server = address.startswith("postgresql://")
    if wish.password is None:
        return before if on_server else None
    if not on_server:
        raise Contradiction("--password-file", "a place that is no database server")
    return str(Path(wish.password).absolute()) if wish.password else None


def _seen(run: Run, profile: Profile) -> ServerSeen | None:
    """Ask a server who it is, or a database whether it lets this user in, before its address is written down."""
    from passless import wiring

    if profile.place == "store":
        wiring.reach_store(profile)
    if profile.place != "server":
        return None
    server = wiring.open_server(profile, clock=run.now, entropy=run.entropy)
    try:
        found = server.greeting()
    finally:
        server.close()
    if found.url != profile.address:
        raise BadProfile(
            f'the server at "{profile.address}" says its address is "{printable(found.url, at_most=200)}"',
            hint="use that one: keys, passkeys and browsers work only there",
        )
    return ServerSeen(name=found.name, version=found.version, sign_up=found.sign_up)


def _forget_sessions(run: Run, profile: Profile) -> None:
    """Forget who is signed in at a server that a profile leaves; the sessions there end by themselves."""
    if profile.place == "server":
        from passless import wiring

        wiring.session_tokens(run.settings, profile).drop_all()


def _move_key(run: Run, before: Profile, after: Profile) -> None:
    """Keep the store's vault key also where it will be looked for from now on."""
    from passless.cli import vault_moving

    if said := vault_moving.copy_key(run, before, after):
        run.note(said)
