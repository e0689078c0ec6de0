"""Registering, testing and removing relying parties, on a store or at a server."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from passless.cli import configuring, operators, plans
from passless.domain.errors import NotFound, PasslessError, Unavailable, WrongUse
from passless.domain.names import are_same, printable
from passless.domain.party_kinds import KNOWS_USERS_BY_NAME, PartyKind
from passless.domain.party_views import ConfiguredRelyingParty
from passless.domain.relying_parties import BadRelyingParty, NewRelyingParty, RelyingPartyView, cleaned
from passless.domain.views import Applied, PlanView
from passless.programs import writing

if TYPE_CHECKING:
    from passless.cli.context import Run
    from passless.cli.secret_files import SecretFile
    from passless.domain.secret import Secret
    from passless.output.results import PlannedRelyingParty
    from passless.programs.writing import NewFile


NO_STORE = "store-missing"  # code of the error
NAMES_OF_USERS = (
    "look at the names of that host's users: whoever has the account of a user's name is taken for that user there, and where"
    " sign-up is open a free name is whoever's comes first; name the groups whose people are users there: --group"
)


class NoSuchRelyingParty(NotFound):
    """There is no such relying party."""

    code = "no-such-relying-party"
    hint = "see what there is: passless relying-party list"


class SecretNeeded(WrongUse):
    """Nothing here knows relying parties, and nobody said what a server would answer."""

    code = "secret-needed"
    hint = "on the program's own host: --server URL --secret-file FILE"
    default = "there is no store here that knows relying parties"


def ready(run: Run) -> Run:
    """Act for nobody else: at a server as the account that acts, on a store as whoever opened it."""
    return operators.as_themselves(run) if run.acting_account is not None else run


def helping(run: Run) -> Run:
    """Act as an operator, who says why; whoever opened a store needs no reason."""
    ready(run)
    return operators.helping(run) if run.is_remote or run.given.reason else run


def wish(kind: str, name: str, **said: Any) -> NewRelyingParty:
    """Return what is asked for, in its normal form; what cannot be is said before anything is opened."""
    return cleaned(NewRelyingParty(name=name, kind=kind, **{field: value for field, value in said.items() if value}))


def add(run: Run, new: NewRelyingParty, where: configuring.Where) -> Applied | PlannedRelyingParty:
    """Register a relying party, and write its program's files where that is on this machine.

    A dry run asks for no more than whether one may. Where the files cannot be written, or somebody stops it meanwhile, the
    relying party is gone again.
    """
    plan = plans.add_relying_party(new)
    kept = _kept(new, where)
    if run.given.dry_run:
        run.attempt(run.directory.relying_parties)
        setup = configuring.prepared(run, new, where)
        return configuring.planned(run, plan, setup, configuring.not_made(run, new), where)
    setup = configuring.prepared(run, new, where)
    made = run.attempt(lambda actor: run.directory.add_relying_party(actor, new))
    with ExitStack() as taken_back:
        taken_back.callback(run.attempt, lambda actor: run.directory.remove_relying_party(actor, made.id))
        with writing.written(kept(made.secret)):
            write = partial(configuring.to_be_written, run, where=where) if setup is None else partial(configuring.write, setup)
            made = write(made)
        taken_back.pop_all()
    if where.secret_to is not None:
        made = replace(made, secret=None, secret_in=where.secret_to, shown_once=False)
    if PartyKind(new.kind) in KNOWS_USERS_BY_NAME and not new.groups:
        made = replace(made, then=(NAMES_OF_USERS, *made.then))
    return Applied(plan=plan, made=made)


def check_way_back(new: NewRelyingParty, *, device_codes: bool) -> None:
    """Refuse a program of a browser whose address was forgotten."""
    by_address = new.kind in (PartyKind.OAUTH, PartyKind.OIDC)
    if device_codes and (not by_address or new.redirect_uris):
        what = "has an address to come back to" if by_address else f"of the kind {new.kind} asks with none"
        raise BadRelyingParty(f"--device-codes is for who has nothing else, and a relying party that {what}")
    if by_address and not (new.redirect_uris or device_codes or new.introspects):
        hint = "name it: --redirect-uri URI; for what has no browser: --device-codes"
        raise BadRelyingParty("people have no address to come back to", hint=hint)


def _kept(new: NewRelyingParty, where: configuring.Where) -> Callable[[Secret | None], tuple[NewFile, ...]]:
    """Look whether a secret can be kept where it was said, and return how that file is made."""
    if where.secret_to is None:
        return lambda _: ()
    if new.public:
        raise BadRelyingParty("a public relying party has no secret to be kept")
    path = Path(where.secret_to)
    writing.check_free(path.parent, (path,), hint="keep it elsewhere: --secret-to FILE")
    return lambda secret: (writing.NewFile(path, f"{secret.reveal() if secret else ''}\n", writing.SECRET_FILE),)


def configure(
    run: Run, words: str, where: configuring.Where, secret: SecretFile | None
) -> ConfiguredRelyingParty | PlannedRelyingParty:
    """Write the files of a relying party's program on this machine."""
    typed = None if secret is None else secret.read()
    return configuring.configure(run, known(run, words, where, typed), where, typed)


def steps(run: Run, words: str, where: configuring.Where, secret: SecretFile | None) -> ConfiguredRelyingParty:
    """Say again what is left to do, and how it is undone."""
    return configuring.steps(run, known(run, words, where, None if secret is None else secret.read()), where)


def known(run: Run, words: str, where: configuring.Where, secret: Secret | None) -> RelyingPartyView:
    """Return a relying party on its program's host: its secret is enough there, where a server is named.

    A store here knows it too, also while its server is down.

    Raises:
        SecretWrong: the server knows no such relying party with that secret.
        Unavailable: the server does not answer, and no store here knows it.
        SecretNeeded: there is no store here, and nothing to ask a server with.
    """
    if secret is None or not (where.server or run.is_remote):
        return _found_here(run, words)
    from passless.cli import by_secret

    try:
        return by_secret.ask(run, words, configuring.server_of(run, where.server), secret)
    except Unavailable:
        if not run.is_remote:
            with suppress(PasslessError):
                return find(run, words)
        raise


def _found_here(run: Run, words: str) -> RelyingPartyView:
    try:
        return find(run, words)
    except PasslessError as error:
        if error.code != NO_STORE:
            raise
        raise SecretNeeded from error


def find(run: Run, words: str) -> RelyingPartyView:
    """Return a relying party by its id, or its name."""
    everything = run.attempt(run.directory.relying_parties)
    found = [one for one in everything if one.id == words] or [one for one in everything if are_same(one.name, words)]
    if len(found) != 1:
        raise NoSuchRelyingParty(f'there is no relying party "{printable(words)}"')
    return found[0]


def remove(run: Run, words: str) -> Applied | PlanView:
    """Forget a relying party."""
    found = find(run, words)
    plan = plans.remove_relying_party(found)
    if run.given.dry_run:
        return plan
    run.confirm(f'remove "{found.name}"? every token that it was given ends', plan=lambda: plan)
    return Applied(plan=plan, made=run.attempt(lambda actor: run.directory.remove_relying_party(actor, found.id)))
