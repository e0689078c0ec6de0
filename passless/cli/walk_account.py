"""The first step of the walk-through: an account, and being signed in to it."""

from __future__ import annotations

import os
from shlex import quote
from typing import TYPE_CHECKING

from msgspec.structs import replace

from passless.cli import accounts, walk_remote
from passless.cli.failures import MissingInput
from passless.cli.proving import Wish as SignInWish
from passless.cli.proving import sign_in
from passless.domain.errors import PasslessError, ProofNeeded, WrongUse
from passless.domain.names import BadName, are_same, clean_account, printable
from passless.domain.requests import NewAccount
from passless.domain.reserved_names import check_chosen
from passless.domain.secret import Secret
from passless.domain.views import AccountSummary, AccountView, SignedIn

if TYPE_CHECKING:
    from passless.cli.context import Run
    from passless.cli.walking import Walk, Wish

MOST_OFFERED = 9  # accounts in a list to choose from; more are named with --account
NEW = "new"
NAMELESS = "myself"  # proposed where nothing says what the person is called
PASSWORD_IS_WRONG = frozenset({"weak-password"})
MENDED_BY_TYPING = frozenset({"name-taken", "bad-name", "name-is-fixed"}) | PASSWORD_IS_WRONG
WHY = "everything belongs to an account; its name is only for this machine"
WHY_THERE = "everything belongs to an account; its name is how the server knows you"


class Unreachable(ProofNeeded):
    """An account that was begun, has no method yet, and whose session ended."""

    code = "nothing-to-sign-in-with"


def have_account(walk: Walk) -> None:
    """Make sure that there is an account to act on and that the person is signed in to it."""
    name = existing(walk.run) or _choose(walk)
    if name is None:
        _make(walk)
        return
    walk.is_resumed = True
    walk.run.on(name)
    if walk.run.is_remote:
        walk_remote.signed_in(walk)
    view = walk.run.view()
    walk.run.tokens.choose(view.id, view.account)
    if walk.run.can_ask:
        walk.talk.say(f'Going on with the account "{view.account}".')
        _signed_in(walk, view)


def existing(run: Run) -> str | None:
    """Return the name of the account that is meant and there; None where it has to be made or chosen."""
    wanted = run.given.account or run.settings.account or run.tokens.chosen
    if not wanted:
        return None
    if run.is_remote:
        return walk_remote.known(run, wanted)
    return next((one.account for one in _everybody(run) if one.id == wanted or are_same(one.account, wanted)), None)


def check_script(run: Run, wish: Wish) -> None:
    """Name the first flag that a new account would need and that nobody can be asked for."""
    if existing(run) is not None:
        return
    accounts.new_name(_wanted(run) or _missing("the name of the account", "--account NAME"))
    if wish.password is None and not wish.no_password:
        _missing("the password", "--password-file FILE or --no-password")


def _wanted(run: Run) -> str | None:
    return run.given.account or run.settings.account


def _missing(what: str, flag: str) -> str:
    raise MissingInput(what, flag)


def _everybody(run: Run) -> tuple[AccountSummary, ...]:
    return tuple(accounts.found(run, ""))


def _choose(walk: Walk) -> str | None:
    """Ask which of the accounts that are there; None for a new one."""
    if _wanted(walk.run) or not walk.run.can_ask:
        return None
    if walk.run.is_remote:
        return walk_remote.choose(walk)
    there = _everybody(walk.run)
    if not there or len(there) > MOST_OFFERED:
        return None
    walk.talk.say()
    names = [(one.account, one.account) for one in there]
    chosen = walk.talk.choose("Which account?", [*names, (NEW, "a new one")])
    return None if chosen == NEW else chosen


def _make(walk: Walk) -> None:
    walk.begin("Make an account", WHY_THERE if walk.run.is_remote else WHY, None)
    run, wish = walk.run, walk.wish
    invited = walk_remote.invitation(walk) if run.is_remote else walk_remote.Invited()
    name = _name(walk, invited.name)
    password = _password(walk, name)
    signed_in = run.signed_in(
        _created(
            walk,
            NewAccount(
                name=name,
                display_name=wish.display_name,
                email=wish.email,
                password=password,
                invitation=invited.secret,
            ),
        )
    )
    run.tokens.choose(signed_in.account_id, signed_in.account)
    run.on(signed_in.account_id)
    walk.finish("make-account")
    walk.talk.done(f'The account "{signed_in.account}" is there{"" if password else ", and never had a password"}.')


def _created(walk: Walk, new: NewAccount) -> SignedIn:
    """Make the account; what another name or password would mend is asked again."""
    run = walk.run
    while True:
        try:
            return run.founded_directory().create(run.actor, new)
        except WrongUse as error:
            if not run.can_ask or error.code not in MENDED_BY_TYPING:
                raise
            walk.talk.trouble(error)
            if error.code in PASSWORD_IS_WRONG:
                new = replace(new, password=_another_password(walk, new.name))
            else:
                new = replace(new, name=walk.talk.until_right(lambda: _free_name(walk, None)))


def _name(walk: Walk, fixed: str) -> str:
    """Return the name: the one that the invitation is for, else the one that was asked for, else what is typed."""
    wanted = _wanted(walk.run)
    if fixed and wanted and not are_same(fixed, wanted):
        raise BadName(
            f'the invitation is for the account "{printable(fixed)}", and "{printable(wanted)}" was asked for',
            hint="leave --account out",
            code="name-is-fixed",
        )
    if fixed:
        walk.talk.say(f'The invitation is for the account "{printable(fixed)}".')
        return fixed
    if wanted and not walk.run.can_ask:
        return _free_name(walk, wanted)
    first = [wanted]  # asked for by its flag, and used once
    return walk.talk.until_right(lambda: _free_name(walk, first.pop() if first else None))


def _free_name(walk: Walk, wanted: str | None) -> str:
    is_remote = walk.run.is_remote
    found = accounts.new_name(wanted or walk.talk.line("Account name", _user_name(is_remote=is_remote)))
    if is_remote:
        check_chosen(found)  # now, and not after a password was typed
        return found  # a server tells nobody which names are taken
    if any(are_same(one.account, found) for one in _everybody(walk.run)):
        raise BadName(f'there is an account "{found}" already', hint="choose another name")
    return found


def _user_name(*, is_remote: bool) -> str:
    """Return the name that is proposed for an account; at a server, where others read it, none that says nothing."""
    nameless = "" if is_remote else NAMELESS
    try:
        found = clean_account(os.environ.get("USER") or os.environ.get("USERNAME") or NAMELESS)
        if is_remote:
            check_chosen(found)
    except BadName:
        return nameless
    return nameless if found == NAMELESS else found


def _password(walk: Walk, name: str) -> Secret | None:
    if walk.wish.no_password:
        return None
    if walk.wish.password is not None:
        return walk.wish.password.read()
    walk.talk.say("Best is no password at all: a key or an app signs you in.")
    return _another_password(walk, name)


def _another_password(walk: Walk, name: str) -> Secret | None:
    return walk.talk.until_right(lambda: _typed_password(walk, name))


def _typed_password(walk: Walk, name: str) -> Secret | None:
    """Ask for a password, twice; Enter alone is none."""
    from passless.credentials.passwords import check_new_password

    password = walk.talk.secret("Password (Enter for none)")
    if password is None:
        return None
    check_new_password(password, stands_alone=True, context_words=[name, walk.wish.display_name, walk.wish.email or ""])
    if walk.talk.secret("The same password again") != password:
        raise WrongUse("the two passwords differ", hint="type the same one twice, or press Enter for none")
    return password


def _signed_in(walk: Walk, view: AccountView) -> None:
    """Ask for a proof where the person is not signed in, or no longer."""
    if view.session is not None:
        return
    if not any(method.usable for method in view.methods):
        raise Unreachable(
            f'the account "{view.account}" was begun, and the session that could finish it has ended',
            hint=_way_back(view),
        )
    walk.talk.say(f'Sign in to "{printable(view.account)}" first.')
    while True:
        try:
            sign_in(walk.run, SignInWish())
        except PasslessError as error:
            walk.talk.trouble(error)
            if not walk.talk.yes("Try again?"):
                raise
        else:
            return


def _way_back(view: AccountView) -> str:
    if view.recovery_code.saved:
        return f"come back with the recovery code: passless recover start --account {quote(view.account)}"
    return (
        f"open it again: passless recover start --as-operator --reason 'begun and left' --account {quote(view.account)}, "
        "or make another one: passless setup --account NAME"
    )
