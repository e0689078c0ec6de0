"""From settings to working parts: the only file that picks implementations, each imported when it is needed."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack, closing, suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from passless.domain.errors import CannotDoThat
from passless.private_files import UnreadableFile

if TYPE_CHECKING:
    from passless.actions.parts import SignUp
    from passless.devices.reader import KeyReader
    from passless.directories.local import LocalDirectory
    from passless.directories.server import ServerDirectory
    from passless.domain.methods import RpId
    from passless.domain.policy import Policy
    from passless.domain.safety.context import Rules
    from passless.domain.secret import Secret
    from passless.ports import Clock, Entropy
    from passless.ports.directory import Directory
    from passless.session_tokens import SessionTokens
    from passless.settings import Profile, Settings, VaultChoice
    from passless.stores.sql_store import SqlStore
    from passless.vault import KeptVault, KeyringProbe

SQLITE = "sqlite:///"  # followed by the absolute path
POSTGRESQL = "postgresql://"
OLD_COPY = (
    "an old copy of the store was put back (noticed on {:%Y-%m-%d}): everybody is signed out, and what was used or "
    "replaced since stays so; see what is on your account: passless status"
)
TOOK_GRANTS = (
    "what was taken back since is not known here, so nobody is an operator any more, no relying party is registered, and "
    "nothing is agreed to; make the first operator: passless operator add ACCOUNT --first"
)
NEW_HERE = (
    "this host opens the store for the first time, so it cannot tell whether an old copy was put back; if one was, say so "
    "once: passless serve --restored"
)
KEY_FILE = "{}, so the vault key is kept in a file: a copy of the data folder then holds both lock and key"
KEY_APART = '{}, so the vault key is kept in "{}", apart from the store: keep a copy, and not beside copies of the store'


class ProfileNotHere(CannotDoThat):
    """A kind of profile that this passless cannot open."""

    code = "profile-not-here"
    hint = "use a profile with a store: passless profile list"


def open_directory(
    settings: Settings, profile: Profile, *, clock: Clock, entropy: Entropy, tell: Callable[[str], None]
) -> Directory:
    """Open the place where a profile's accounts are; nothing is made. `tell` hears what a person has to know of it, once."""
    if profile.place == "server":
        return open_server(profile, clock=clock, entropy=entropy)
    with ExitStack() as opened:
        store = opened.enter_context(closing(open_store(settings, profile, clock=clock, entropy=entropy)))
        tell_of_copies(store, tell)
        directory = directory_over(store, settings, profile, clock=clock, entropy=entropy)
        opened.pop_all()
    return directory


def tell_of_copies(store: SqlStore, tell: Callable[[str], None]) -> None:
    """Tell what a person has to know of old copies of the store, once."""
    took_grants = store.took_grants
    if store.restored_at is not None and (restored := store.tell_restored()) is not None:
        tell(OLD_COPY.format(restored))
        if took_grants:
            tell(TOOK_GRANTS)
    if store.tell_new_here():
        tell(NEW_HERE)


def directory_over(
    store: SqlStore, settings: Settings, profile: Profile, *, clock: Clock, entropy: Entropy, serving: SignUp | None = None
) -> LocalDirectory:
    """Return the directory over an open store. `serving` says who may make accounts where it stands behind HTTP.

    On a server's store nobody acts for others but operators, whoever opened it; only the host makes accounts and the first
    operator without being asked for more.
    """
    from passless.actions.parts import Access, Parts, SignUp
    from passless.directories.local import LocalDirectory
    from passless.directories.local.served import served_as

    policy, served = _policy(profile), served_as(store)
    return LocalDirectory(
        Parts(
            store=store,
            open_vault=cache(lambda: open_vault(settings, profile, store_id=store.id, entropy=entropy)),
            clock=clock,
            entropy=entropy,
            rules=_rules(store.id if served is None else "", policy, rp_id=None if served is None else served.rp_id),
            profile=profile.name,
            ticket_pattern=policy.recovery.ticket if policy is not None else "",
            access=Access.OWNER if served is None else Access.NOBODY,
            sign_up=serving or SignUp.OPEN,
            origin="" if served is None else served.url,
            on_host=served is not None and serving is None,
        )
    )


def open_server(profile: Profile, *, clock: Clock, entropy: Entropy) -> ServerDirectory:
    """Return the way to a server; nothing is sent before it is asked something."""
    from passless.directories.server import ServerDirectory
    from passless.directories.server.connection import Connection

    connection = Connection(profile.address, clock=clock, entropy=entropy, ca=profile.ca)
    return ServerDirectory(connection, profile=profile.name)


def session_tokens(settings: Settings, profile: Profile) -> SessionTokens:
    """Return who is signed in at a profile."""
    if profile.place != "server":
        return settings.tokens(profile)
    from passless.directories.server.kept_sessions import KeyringSessions

    return settings.tokens(profile, KeyringSessions(profile.name, profile.address, choice=profile.vault))


def open_store(settings: Settings, profile: Profile, *, clock: Clock, entropy: Entropy) -> SqlStore:
    """Open a profile's store; `StoreMissing` where there is none yet."""
    from passless.stores import open_store_at

    return open_store_at(_store_address(profile), **_database(settings, profile, clock, entropy))


def reach_store(profile: Profile) -> None:
    """See that the database of a store, where it has one, is reached and usable, or empty; nothing is made there or here."""
    from passless.stores import reach_store_at

    reach_store_at(profile.address, password=_database_password(profile))


def open_vault(settings: Settings, profile: Profile, *, store_id: str, entropy: Entropy) -> KeptVault:
    """Open the vault of a profile's store; its key is read at the first use and never made here.

    With `auto` the key is where it was put when the store was made: in the key file if there is one, else in the keyring.
    """
    from passless.vault import open_vault as opened

    key_file = key_file_of(settings, store_id, profile)
    kind = _vault_kind(profile)
    if kind == "auto":
        kind = "file" if key_file.exists() else "keyring"
    return opened(kind, store_id=store_id, key_file=key_file, entropy=entropy)


def found(settings: Settings, profile: Profile, *, clock: Clock, entropy: Entropy, tell: Callable[[str], None]) -> None:
    """Make a profile's store and its vault key where there is no store yet: for commands that make an account.

    A store without any account may lack its key, where an earlier making was cut short; it gets one then.
    """
    if profile.place == "server":
        return  # what its accounts live in is the server's
    store, is_new = _open_or_create(settings, profile, clock, entropy)
    try:
        if is_new:
            _make_key(settings, profile, store_id=store.id, entropy=entropy, tell=tell)
    finally:
        store.close()


def _open_or_create(settings: Settings, profile: Profile, clock: Clock, entropy: Entropy) -> tuple[SqlStore, bool]:
    """Return a profile's store, and whether it may lack its key."""
    from passless.stores import create_store_at
    from passless.stores.errors import StoreExists, StoreMissing

    with suppress(StoreMissing), ExitStack() as opened:
        store = opened.enter_context(closing(open_store(settings, profile, clock=clock, entropy=entropy)))
        is_empty = next(store.accounts(), None) is None
        opened.pop_all()
        return store, is_empty
    try:
        return create_store_at(_store_address(profile), **_database(settings, profile, clock, entropy)), True
    except StoreExists:  # another process was quicker, and makes the key
        return open_store(settings, profile, clock=clock, entropy=entropy), False


def _database(settings: Settings, profile: Profile, clock: Clock, entropy: Entropy) -> dict[str, Any]:
    """Return what a store on a database server is opened with."""
    return {
        "password": _database_password(profile),
        "state": _state(settings),
        "at": clock(),
        "entropy": entropy,
        "open_vault": lambda store_id: open_vault(settings, profile, store_id=store_id, entropy=entropy),
    }


def _database_password(profile: Profile) -> Secret | None:
    from passless.domain.secret import Secret
    from passless.private_files import read

    if profile.password_file is None:
        return None
    content = read(Path(profile.password_file), what="password file")
    if content is None:
        raise UnreadableFile(f'there is no password file "{profile.password_file}"')
    return Secret(content.decode("utf-8", "replace").rstrip("\r\n"))


def _make_key(settings: Settings, profile: Profile, *, store_id: str, entropy: Entropy, tell: Callable[[str], None]) -> None:
    from passless.vault import find_keeper
    from passless.vault import open_vault as opened

    kind, key_file, probe = _vault_kind(profile), key_file_of(settings, store_id, profile), None
    if kind == "auto":
        keeper = find_keeper()
        kind, probe = keeper.kind, keeper.probe
    was_there = key_file.exists()
    opened(kind, store_id=store_id, key_file=key_file, entropy=entropy).create()
    if probe is not None and kind == "file" and not was_there:
        tell(_where_the_key_is(settings, profile, key_file, probe))


def _where_the_key_is(settings: Settings, profile: Profile, key_file: Path, probe: KeyringProbe) -> str:
    """Say what a vault key in a file means, and what can be changed of that here; a store named alone has no profile."""
    from shlex import quote

    store = Path(profile.address.removeprefix(SQLITE))
    if not profile.address.startswith(SQLITE) or settings.folders.data not in store.parents:
        return KEY_APART.format(probe.message, key_file)
    said = KEY_FILE.format(probe.message)
    if not any((one.name, one.address) == (profile.name, profile.address) for one in settings.profiles()):
        return f"{said}; to change that: move {quote(str(key_file))}, and say where to with --vault-key-file FILE"
    if probe.condition == "absent":  # there is nothing to change it to
        return said
    return f"{said}; to change that: passless profile set {quote(profile.name)} --vault keyring"


def _vault_kind(profile: Profile) -> VaultChoice:
    return "file" if profile.vault_file is not None else profile.vault


def key_file_of(settings: Settings, store_id: str, profile: Profile) -> Path:
    """Return where the key file of a store is, or would be."""
    if profile.vault_file is not None:
        return Path(profile.vault_file)
    return settings.folders.data / "vault" / f"{store_id}.key"


def key_reader() -> KeyReader:
    """Return what talks to the security keys of this machine."""
    from passless.devices.keys import SecurityKeys

    return SecurityKeys()


def _store_address(profile: Profile) -> str:
    if profile.place != "store" or not profile.address.startswith((SQLITE, POSTGRESQL)):
        raise ProfileNotHere(f'the profile "{profile.name}" is on {profile.address}, which this version cannot open')
    return profile.address


def _state(settings: Settings) -> Path:
    return settings.folders.state / "stores"


def _policy(profile: Profile) -> Policy | None:
    if profile.policy is None:
        return None
    from passless.policy_file import read_policy

    return read_policy(Path(profile.policy))


def _rules(store_id: str, policy: Policy | None, *, rp_id: RpId | None = None) -> Rules:
    from passless.domain.methods import RpId
    from passless.domain.policy import Policy
    from passless.domain.safety.context import Rules

    asked = policy or Policy()
    own = RpId(f"{store_id}.passless.localhost")  # as credentials.passkeys.embedded_relying_party, without its imports
    return Rules(
        wait=asked.wait,
        email_signs_in=asked.sign_in.email,
        rp_id=rp_id or own,
        second_operator=asked.recovery.second_operator,
    )
