"""Serving: from what was asked on the command line to a process that answers, and back to nothing left open."""

from __future__ import annotations

import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path

from litestar.concurrency import set_asyncio_executor
from msgspec import Struct
from msgspec.structs import replace

from passless import wiring
from passless.actions import relying_parties
from passless.actions.parts import Parts, SignUp
from passless.directories.local.served import BadUrl, Moved, origin_of, serve_as
from passless.domain.errors import WrongUse
from passless.domain.names import printable
from passless.domain.party_kinds import KNOWS_USERS_BY_NAME
from passless.policy_file import read_policy
from passless.ports import Clock, Entropy
from passless.server import listening
from passless.server.app import make_app
from passless.server.certificates import Certificate
from passless.server.connections import allow_many
from passless.server.counting import counting
from passless.server.endings import Endings
from passless.server.gate import Gate
from passless.server.log import Log
from passless.server.metrics import Metrics
from passless.server.running import Run, run
from passless.server.site import Site
from passless.server.sockets import opening
from passless.server.sockets.opening import Wanted
from passless.settings import Profile, Settings

THREADS = 40  # waiting for the store, which commits for all of them at once; `passwords` lets about half wait for a hash
STORE_SCHEMES = ("sqlite:////", "postgresql://")


class BadServing(WrongUse):
    """What was asked does not go together."""

    code = "bad-serving"
    hint = "see: passless serve --help"


class BadNetwork(WrongUse):
    """A network of proxies that is none."""

    code = "bad-network"
    hint = "write it as 10.0.0.0/8, 192.0.2.7 or 2001:db8::/64"


class Wish(Struct, frozen=True, kw_only=True):
    """What is to be served, where, and to whom; None is what is usual."""

    store: str | None = None
    password_file: str | None = None
    listen: str = "127.0.0.1:8080"
    url: str | None = None
    new_url: bool = False
    restored: bool = False
    tls_cert: str | None = None
    tls_key: str | None = None
    trusted: tuple[str, ...] = ()
    vault_key_file: str | None = None
    sign_up: SignUp = SignUp.INVITATION
    policy: str | None = None
    metrics: str | None = None
    sockets: tuple[str, ...] = ()


def serve(settings: Settings, profile: Profile, wish: Wish, *, clock: Clock, entropy: Entropy) -> None:
    """Serve until somebody says stop; everything that was begun is finished first."""
    log = Log(clock)
    log.take_over()
    place, trusted = listening.place_of(wish.listen), tuple(network_of(one) for one in wish.trusted)
    _check_tls(wish)
    sockets = tuple(opening.wanted(one) for one in wish.sockets)
    served = _served_profile(profile, wish)
    if served.policy is not None:
        read_policy(Path(served.policy))  # what is wrong with it is told before anything is made
    with listening.listen(place) as socket_, _metrics_socket(wish) as metrics_socket:
        url = _url(wish, socket_, place)
        _check_reach(url, wish, place, trusted)
        site, metrics = _site(settings, served, wish, url, trusted, log, clock, entropy)
        try:
            _run(site, wish, log, metrics, socket_, metrics_socket, sockets, entropy)
        finally:
            site.directory.close()
            listening.leave(place)
    log.line("info", "stopped")


def _run(
    site: Site,
    wish: Wish,
    log: Log,
    metrics: Metrics,
    listening_socket: socket.socket,
    metrics_socket: socket.socket | None,
    sockets: tuple[Wanted, ...],
    entropy: Entropy,
) -> None:
    most = allow_many()
    threads = ThreadPoolExecutor(THREADS, thread_name_prefix="passless")
    set_asyncio_executor(threads)
    endings = Endings(site)
    app = Gate(make_app(site, log, endings), site, log=log, metrics=metrics, entropy=entropy)
    run(
        Run(
            app=app,
            site=site,
            endings=endings,
            log=log,
            metrics=metrics,
            listening=listening_socket,
            metrics_listening=metrics_socket,
            most=most,
            tls_cert=wish.tls_cert,
            tls_key=wish.tls_key,
            sockets=sockets,
        )
    )
    threads.shutdown(wait=False, cancel_futures=True)
    set_asyncio_executor(None)


def _site(
    settings: Settings,
    profile: Profile,
    wish: Wish,
    url: str,
    trusted: tuple[IPv4Network | IPv6Network, ...],
    log: Log,
    clock: Clock,
    entropy: Entropy,
) -> tuple[Site, Metrics]:
    """Open the store, made first where there is none, and make it this server's."""

    def tell(text: str) -> None:
        log.line("warning", "note", message=text)

    wiring.found(settings, profile, clock=clock, entropy=entropy, tell=tell)
    store = wiring.open_store(settings, profile, clock=clock, entropy=entropy)
    try:
        if wish.restored:
            store.take_for_old_copy(at=clock())
        wiring.tell_of_copies(store, tell)
        before = wiring.directory_over(store, settings, profile, clock=clock, entropy=entropy)
        _tell_moved(serve_as(store, url, at=clock(), rules=before.parts.rules, move=wish.new_url), tell)
        directory = wiring.directory_over(store, settings, profile, clock=clock, entropy=entropy, serving=wish.sign_up)
        _tell_of_hosts(directory.parts, wish, tell)
        directory.parts.vault.key_id()  # a missing key is told now, not to the first person who signs in
    except BaseException:
        store.close()
        raise
    metrics = Metrics()
    directory.parts = replace(directory.parts, store=counting(store, metrics))
    return Site(directory=directory, url=url, trusted=trusted), metrics


def _tell_moved(moved: Moved | None, tell: Callable[[str], None]) -> None:
    if moved is not None and moved.methods:
        tell(
            f"{moved.methods} keys and passkeys of {moved.accounts} accounts were made for another address and work no more; "
            "their people sign in with something else and enrol them again"
        )


def _tell_of_hosts(parts: Parts, wish: Wish, tell: Callable[[str], None]) -> None:
    """Say where strangers may choose names that hosts take for their users'."""
    hosts = [one.name for one in relying_parties.clients(parts) if one.kind in KNOWS_USERS_BY_NAME]
    if wish.sign_up is SignUp.OPEN and hosts:
        tell(
            f"sign-up is open, and {', '.join(hosts)} know their users by name: whoever signs up under the name of a user who "
            "has no account is taken for that user there; make those accounts first, or serve with --sign-up invitation"
        )


def _served_profile(profile: Profile, wish: Wish) -> Profile:
    """Return the place that is served: the profile's store, or the one that was named."""
    if wish.store is not None:
        if not wish.store.startswith(STORE_SCHEMES):
            raise BadServing(
                f'"{printable(wish.store)}" is no store',
                hint="write it as sqlite:////absolute/path or postgresql://user@host/name",
            )
        profile = Profile(name="server", place="store", address=wish.store)
    if profile.place != "store":
        raise BadServing(f'the profile "{profile.name}" is no store of its own', hint="name one: --store URL")
    return replace(
        profile,
        policy=wish.policy or profile.policy,
        vault_file=wish.vault_key_file or profile.vault_file,
        password_file=wish.password_file or profile.password_file,
    )


def network_of(text: str) -> IPv4Network | IPv6Network:
    """Read a network of trusted proxies."""
    try:
        return ip_network(text.strip())
    except ValueError as error:
        raise BadNetwork(f'"{printable(text)}" is no network') from error


def _url(wish: Wish, listening_socket: socket.socket, place: listening.Place) -> str:
    if wish.url is not None:
        return origin_of(wish.url)
    if place.path:
        raise BadServing("a socket has no address that a browser knows", hint="say which: --url ORIGIN")
    return origin_of(f"{'https' if wish.tls_cert else 'http'}://localhost:{listening_socket.getsockname()[1]}")


def _check_reach(url: str, wish: Wish, place: listening.Place, trusted: tuple[object, ...]) -> None:
    """Refuse a server that nobody could reach as it says."""
    if url.startswith("https://") and not (wish.tls_cert or trusted or place.path):
        raise BadServing(
            f"{url} is reached over TLS, and nothing here speaks it",
            hint="give --tls-cert and --tls-key, or name the proxy that does: --trusted-proxy NET",
        )
    if url.startswith("http://") and wish.tls_cert:
        raise BadUrl(f"{url} is plain http, and a certificate is given", hint="write it as https://…")
    if url.startswith("http://") and not place.is_loopback:
        raise BadServing(
            f"{url} is reached from this machine only, and it would listen to others",
            hint="listen on 127.0.0.1, or serve over TLS",
        )


def _check_tls(wish: Wish) -> None:
    """Read certificate and key once, so that what is wrong is told before anything is opened."""
    if bool(wish.tls_cert) != bool(wish.tls_key):
        raise BadServing("a certificate and its key belong together", hint="give both --tls-cert and --tls-key")
    if not wish.tls_cert or not wish.tls_key:
        return
    Certificate(cert=wish.tls_cert, key=wish.tls_key).check()


class _Nothing:
    def __enter__(self) -> None:
        return None

    def __exit__(self, *_: object) -> None:
        return None


def _metrics_socket(wish: Wish) -> socket.socket | _Nothing:
    return (
        _Nothing()
        if wish.metrics is None
        else listening.listen(listening.place_of(wish.metrics), flag=listening.LISTEN_METRICS)
    )
