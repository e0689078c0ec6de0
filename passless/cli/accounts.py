"""What making, choosing, renaming and deleting an account does here besides what the directory does."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from passless.cli import asking, plans
from passless.cli.failures import Contradiction, MissingInput, NotSignedIn
from passless.domain.errors import PasslessError, WrongUse
from passless.domain.names import clean_account
from passless.domain.requests import NewAccount, RenameAccountTo
from passless.domain.secret import Secret
from passless.domain.views import AccountSummary, AccountView, Applied, PlanView, Waits
from passless.output.results import AccountMade, Chosen
from passless.ports import NameTaken, NoSuchAccount

if TYPE_CHECKING:
    from passless.cli.context import Run
    from passless.cli.secret_files import SecretFile

Outcome = PlanView | Applied | Waits
NO_STORE = "store-missing"
NOT_SIGNED_IN = "sign-in-needed"


class BadInvitation(WrongUse):
    """An invitation of another server."""

    code = "bad-invitation"
    hint = "use the profile of the server that the link names: passless profile list"


class LinkAsName(WrongUse):
    """A link was typed where a name is asked; it is not repeated, for a secret may stand in it."""

    code = "bad-name"
    hint = "type a short name, such as ada; the link of an invitation is asked for on its own, or given with --invitation-file"
    default = "that is a link, not the name of an account"


class Wish(Struct, frozen=True, kw_only=True):
    """The account that is asked for."""

    name: str
    display_name: str
    email: str | None
    password: SecretFile | None
    no_password: bool
    invitation: SecretFile | None = None


def create(run: Run, wish: Wish) -> AccountMade | PlanView:
    """Make an account, sign it in and choose it."""
    name = new_name(wish.name)  # first: nobody types a password for a name that cannot be
    password = _password(run, wish)
    plan = plans.create_account(name, has_password=password is not None)
    new = NewAccount(
        name=name,
        display_name=wish.display_name,
        email=wish.email,
        password=password,
        invitation=invitation_in(run, wish.invitation),
    )
    if run.given.dry_run:
        return _if_free(run, plan, new)
    signed_in = run.founded_directory().create(run.actor, new)
    run.signed_in(signed_in)
    run.tokens.choose(signed_in.account_id, signed_in.account)
    return AccountMade(plan=plan, signed_in=signed_in)


def new_name(typed: str) -> str:
    """Return a name for a new account; what looks like a link was pasted by mistake."""
    if "://" in typed or "pli_" in typed:
        raise LinkAsName
    return clean_account(typed)


def invitation_in(run: Run, file: SecretFile | None) -> Secret | None:
    """Return the invitation in a file."""
    if file is not None and not run.is_remote:
        raise Contradiction("--invitation-file", "a profile on this machine")
    return None if file is None else invitation_of(run, file.read())


def invitation_of(run: Run, link_or_end: Secret) -> Secret:
    """Return what stands at the end of an invitation's link; a link to another server is refused."""
    link, hash_mark, end = link_or_end.reveal().strip().partition("#")
    if hash_mark and not link.startswith(f"{run.profile.address}/"):
        raise BadInvitation(f'the invitation is none of "{run.profile.address}"')
    return Secret(end if hash_mark else link)


def found(run: Run, matching: str) -> Iterable[AccountSummary]:
    """Stream the accounts; a store that was never made has none."""
    chosen = run.tokens.chosen
    try:
        directory = run.directory
    except PasslessError as error:
        if error.code != NO_STORE:
            raise
        return
    for summary in directory.find(matching, run.actor):
        yield replace(summary, current=summary.id == chosen)


def choose(run: Run, name: str) -> Chosen:
    """Choose an account; at a server one that signed in here before."""
    if run.is_remote:
        return _choose_known(run, name)
    view = _read(run, name)
    if not run.given.dry_run:
        run.tokens.choose(view.id, view.account)
    return Chosen(profile=run.profile.name, account=view.account, applied=not run.given.dry_run)


def _choose_known(run: Run, name: str) -> Chosen:
    account_id = run.tokens.id_of(name)
    if account_id is None:
        raise NotSignedIn(name)
    known = run.tokens.name_of(account_id) or name
    if not run.given.dry_run:
        run.tokens.choose(account_id, known)
    return Chosen(profile=run.profile.name, account=known, applied=not run.given.dry_run)


def rename(run: Run, name: str | None, display_name: str | None) -> Outcome:
    """Rename an account and remember its new name here."""
    if display_name is None:
        name = run.text(name, "New name", flag="NAME or --display-name TEXT")
    account_id = _read(run, run.looked_at).id  # first: the name that was given may be the one that goes
    outcome = run.change(RenameAccountTo(name=name, display_name=display_name))
    if isinstance(outcome, Applied):
        run.tokens.rename(account_id, _read(run, account_id).account)
    return outcome


def deleted(run: Run, delete: Callable[[], Outcome]) -> Outcome:
    """Delete an account and forget its session."""
    account = _read(run, run.looked_at)
    outcome = delete()
    if isinstance(outcome, Applied):
        run.tokens.drop(account.id)
    return outcome


def _read(run: Run, name: str) -> AccountView:
    """Look at an account: as whoever owns the place, whatever is signed in; of a server as who is signed in there."""
    if not run.is_remote:
        try:
            return run.directory.read(run.looker, name)
        except PasslessError as error:
            if error.code != NOT_SIGNED_IN:
                raise  # else it is a server's store, where even its host only sees what it is signed in to
    return run.directory.read(run.on(name).actor, name)


def _password(run: Run, wish: Wish) -> Secret | None:
    if wish.no_password and wish.password is not None:
        raise Contradiction("--no-password", "--password-file")
    if wish.no_password:
        return None
    if wish.password is not None:
        return wish.password.read()
    if not run.can_ask:
        raise MissingInput("the password", "--password-file FILE or --no-password")
    if asking.yes("Go without a password from the start?"):
        return None
    return asking.new_secret("Password")


def _if_free(run: Run, plan: PlanView, new: NewAccount) -> PlanView:
    """Return the plan of an account that may be as it is asked for; there is none yet that the directory could plan for."""
    from passless.actions.planning import check_new_account

    check_new_account(new, is_remote=run.is_remote)
    if run.is_remote:
        return plan  # a server tells nobody which names are taken
    try:
        taken = _read(run, new.name)
    except NoSuchAccount:
        return plan
    except PasslessError as error:
        if error.code not in {NO_STORE, NOT_SIGNED_IN}:
            raise
        return plan  # a server's store tells nobody either
    raise NameTaken(f'there is an account "{taken.account}" already')
