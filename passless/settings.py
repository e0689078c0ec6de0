"""Profiles and preferences: `config.toml`, and the folders that passless keeps things in.

The file is meant to be written by people too::

    profile = "work"                                # the chosen one
    output = "json"                                 # or "human"

    [profiles.work]
    store = "sqlite:////srv/passless/work.sqlite"   # or server = "https://…", or provider = "entra"
    vault = "file"                                  # or "keyring", "auto"
    policy = "/srv/passless/rules.toml"
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from passless import private_files
from passless.domain.errors import NotFound, Unavailable, WrongUse
from passless.domain.names import clean, key, printable
from passless.private_files import UnreadableFile
from passless.session_tokens import SessionTokens, TokenKeeper

LOCAL = "local"
STORE_SCHEMES = ("sqlite:////", "postgresql://")
PORTS = {"https": 443, "http": 80}  # that an origin leaves out (RFC 6454 §6.1)
HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\]")  # ASCII; other names are written as xn--…
WHAT = "settings file"
FILES = ("policy", "ca", "vault_file", "password_file")  # what a profile may name by a path
WRITE_SERVER = "write it as https://host or https://host:port"

Place = Literal["store", "server", "provider"]
VaultChoice = Literal["auto", "keyring", "file"]


class BadSettings(WrongUse):
    """The settings file is not what it should be."""

    code = "bad-settings"
    hint = "correct the file or put it aside, and try again"


class NoSuchProfile(NotFound):
    """There is no such profile."""

    code = "no-such-profile"
    hint = "list the profiles: passless profile list"


class BadProfile(WrongUse):
    """A profile that cannot be."""

    code = "bad-profile"
    hint = "see: passless profile add --help"


class ProfileChanged(Unavailable):
    """Somebody else changed the profile at the same time."""

    code = "profile-changed"
    hint = "look at it and try again: passless profile list"


class Profile(Struct, frozen=True, kw_only=True):
    """A named place where accounts live. `address` is a store's URL, a server's origin, or a provider's kind.

    `vault` says where secrets of this machine are kept: a store's vault key, a server's session. `ca` names the certificates
    that a server's must come from, where it is no public one's. A store may name its own key file, and the file with the
    password of its database.
    """

    name: str
    place: Place
    address: str
    vault: VaultChoice = "auto"
    policy: str | None = None
    ca: str | None = None
    vault_file: str | None = None
    password_file: str | None = None


class _Entry(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    store: str | None = None
    server: str | None = None
    provider: str | None = None
    vault: VaultChoice = "auto"
    policy: str | None = None
    ca: str | None = None
    vault_file: str | None = None
    password_file: str | None = None


class _Config(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    profile: str | None = None
    output: Literal["human", "json"] | None = None
    profiles: dict[str, _Entry] = {}


class Folders(Struct, frozen=True, kw_only=True):
    """Where configuration, data and state are kept."""

    config: Path
    data: Path
    state: Path


def find_folders(environ: Mapping[str, str]) -> Folders:
    """Return one folder for everything where `PASSLESS_HOME` is set, else the places the system has for each."""
    if home := environ.get("PASSLESS_HOME"):
        top = Path(home).absolute()
        return Folders(config=top / "config", data=top / "data", state=top / "state")
    import platformdirs

    return Folders(
        config=platformdirs.user_config_path("passless", appauthor=False),
        data=platformdirs.user_data_path("passless", appauthor=False),
        state=platformdirs.user_state_path("passless", appauthor=False),
    )


class Settings:
    """The settings of this person: read when asked for, written only by the commands that change them."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = environ
        self.folders = find_folders(environ)
        self.path = self.folders.config / "config.toml"
        self._config: _Config | None = None

    @property
    def wants_json(self) -> bool:
        """Whether JSON is asked for by the environment or the file."""
        asked = self.environ.get("PASSLESS_OUTPUT")
        return asked == "json" if asked else self._read().output == "json"

    @property
    def chosen(self) -> str:
        """The name of the profile that commands use when no flag says otherwise."""
        return self.named or self.written

    @property
    def named(self) -> str | None:
        """The profile that the environment chooses."""
        return self.environ.get("PASSLESS_PROFILE") or None

    @property
    def written(self) -> str:
        """The profile that is chosen where neither a flag nor the environment names one."""
        return self._read().profile or LOCAL

    @property
    def account(self) -> str | None:
        """The account that the environment chooses."""
        return self.environ.get("PASSLESS_ACCOUNT") or None

    def profile(self, name: str | None = None) -> Profile:
        """Return a profile by its name, or the chosen one."""
        wanted = self.chosen if name is None else name
        found = next((profile for profile in self.profiles() if key(profile.name) == key(wanted)), None)
        if found is None:
            raise NoSuchProfile(f'there is no profile "{printable(wanted)}"')
        return found

    def profiles(self) -> tuple[Profile, ...]:
        """Return all profiles, `local` first."""
        entries = self._read().profiles
        written = tuple(self._profile(name, entry) for name, entry in sorted(entries.items()) if key(name) != LOCAL)
        return (self._profile(LOCAL, entries.get(LOCAL, _Entry())), *written)

    def add(self, profile: Profile) -> Profile:
        """Add a profile."""
        name = clean(profile.name, what="profile name")
        with self._alone():
            if any(key(one.name) == key(name) for one in self.profiles()):
                raise BadProfile(f'there is a profile "{name}" already', hint="change it: passless profile set NAME")
            return self._put(replace(profile, name=name))

    def replace(self, profile: Profile, *, before: Profile | None = None) -> Profile:
        """Write a profile in the place of the one of that name; `ProfileChanged` where that is no longer as it was `before`."""
        with self._alone():
            if before is not None and self.profile(before.name) != before:
                raise ProfileChanged(f'the profile "{before.name}" was changed meanwhile')
            return self._put(profile)

    def _put(self, profile: Profile) -> Profile:
        _check_address(profile)
        named = {name: getattr(profile, name) for name in FILES}
        files = {name: None if path is None else str(Path(path).absolute()) for name, path in named.items()}
        entry = _Entry(**{profile.place: profile.address}, vault=profile.vault, **files)
        self._write(replace(self._read(), profiles={**self._read().profiles, profile.name: entry}))
        return self.profile(profile.name)

    def remove(self, name: str) -> Profile:
        """Forget a profile; the accounts in it stay where they are."""
        with self._alone():
            profile = self.profile(name)
            config = self._read()
            if profile.name not in config.profiles:
                raise BadProfile('the profile "local" is always there', hint="choose another: passless profile use NAME")
            left = {one: entry for one, entry in config.profiles.items() if one != profile.name}
            chosen = None if config.profile is None or key(config.profile) == key(profile.name) else config.profile
            self._write(replace(config, profiles=left, profile=chosen))
            return profile

    def use(self, name: str) -> Profile:
        """Choose a profile."""
        with self._alone():
            profile = self.profile(name)
            self._write(replace(self._read(), profile=profile.name))
            return profile

    def tokens(self, profile: Profile, keeper: TokenKeeper | None = None) -> SessionTokens:
        """Return who is signed in there; the tokens of a server's sessions are with the keeper, where there is one."""
        origin = profile.address if profile.place == "server" else ""
        return SessionTokens(self.session_file(profile), origin=origin, keeper=keeper)

    def session_file(self, profile: Profile, *, ending: str = ".json") -> Path:
        """Return where a profile's sessions are kept, or what else lies beside them."""
        return self.folders.state / "sessions" / f"{_file_name(profile.name)}{ending}"

    def _profile(self, name: str, entry: _Entry) -> Profile:
        places: tuple[Place, ...] = ("store", "server", "provider")
        named = [(place, address) for place in places if (address := getattr(entry, place)) is not None]
        if not named and name == LOCAL:
            named = [("store", f"sqlite:///{self.folders.data / 'stores' / 'local.sqlite'}")]
        if len(named) != 1:
            raise BadSettings(f'the profile "{printable(name)}" in "{self.path}" needs one of store, server and provider')
        place, address = named[0]
        files = {file: getattr(entry, file) for file in FILES}
        profile = Profile(name=name, place=place, address=address, vault=entry.vault, **files)
        _check_address(profile)
        return profile

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Change the file as it is now, while no other process does."""
        with private_files.alone(self.path):
            self._config = None
            yield

    def _read(self) -> _Config:
        if self._config is None:
            content = private_files.read(self.path, what=WHAT)
            self._config = _Config() if content is None else self._parse(content)
        return self._config

    def _parse(self, content: bytes) -> _Config:
        import tomllib

        try:
            return msgspec.convert(tomllib.loads(content.decode()), _Config)
        except UnicodeError as error:
            raise UnreadableFile(f'the {WHAT} "{self.path}" is not text') from error
        except (tomllib.TOMLDecodeError, msgspec.ValidationError, RecursionError) as error:
            raise BadSettings(f'the {WHAT} "{self.path}" is broken: {error}') from error

    def _write(self, config: _Config) -> None:
        import tomli_w

        content = tomli_w.dumps(msgspec.to_builtins(config)).encode()
        private_files.write(self.path, content, what=WHAT)
        self._config = config


def _check_address(profile: Profile) -> None:
    address = printable(profile.address)
    match profile.place:
        case "store" if not profile.address.startswith(STORE_SCHEMES) or "\0" in profile.address:
            raise BadProfile(
                f'"{address}" is no store', hint="write it as sqlite:////absolute/path or postgresql://user@host/name"
            )
        case "server" if server_origin(profile.address) != profile.address:
            raise BadProfile(f'"{address}" is no origin of a server', hint="write it as https://host")
        case _ if not profile.address:
            raise BadProfile("the profile has no address")
        case _:
            return


def server_origin(address: str) -> str:
    """Return a server's address as an origin: `https://host` or `https://host:port`; plain HTTP for this machine alone.

    Raises:
        BadProfile: it is none, or could be overheard.
    """
    from urllib.parse import urlsplit

    shown = printable(address)
    try:
        found = urlsplit(address)
        host, port = (f"[{found.hostname}]" if ":" in (found.hostname or "") else found.hostname or ""), found.port
    except ValueError as error:
        raise BadProfile(f'"{shown}" is no server', hint=WRITE_SERVER) from error
    extra = found.path.strip("/") or found.query or found.fragment or "@" in found.netloc or not address.isprintable()
    if found.scheme not in PORTS or extra or not HOST.fullmatch(host):
        raise BadProfile(f'"{shown}" is no server', hint=WRITE_SERVER)
    if found.scheme == "http" and not is_this_machine(host):
        raise BadProfile(f'"{shown}" could be overheard: plain HTTP is for this machine alone', hint=WRITE_SERVER)
    return f"{found.scheme}://{host}" + ("" if port in (None, PORTS[found.scheme]) else f":{port}")


def is_this_machine(host: str) -> bool:
    """Tell whether a host never leaves this machine (RFC 6761 §6.3)."""
    return host in ("localhost", "127.0.0.1", "[::1]") or host.endswith(".localhost")


def _file_name(name: str) -> str:
    """Return a file name for any profile name: what is not plain is written as its code points."""
    return "".join(
        letter if letter.isascii() and (letter.isalnum() or letter in "-_") else f"%{ord(letter):x}" for letter in key(name)
    )
