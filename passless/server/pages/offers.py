"""What a page can change, each with its words: from the fields of a form to a request."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta

from msgspec import Struct

from passless.domain.errors import WrongUse
from passless.domain.requests import (
    ApproveRecovery,
    CancelWaiting,
    EndRecovery,
    EndSessions,
    IssuePass,
    MakeDefault,
    NewAppPassword,
    NewRecoveryCode,
    PasswordlessOn,
    RemoveMethodNamed,
    RenameMethodTo,
    ReportLostDevice,
    ReportNotMe,
    Request,
    RevokeAppPasswordsNamed,
    RevokePass,
    SetPassword,
    StartRecoveryOf,
    StopRecovery,
    TwoStepOff,
    TwoStepOn,
)
from passless.domain.secret import Secret
from passless.server.pages.visiting import Form

SAMPLE = Secret("planned: granite-walrus-hazel-7421")  # stands for a password that is not typed yet, in a plan alone
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


class NotTyped(WrongUse):
    """Something that the form asks for is missing, or is not what it asks for."""

    code = "not-typed"
    hint = ""


class Offer(Struct, frozen=True, kw_only=True):
    """One change that a page offers.

    `keeps` are the fields that stand in its address: they hold no secret. `secret` says that a new password is typed
    beside the plan, `shows_wish` that what another operator asked for is shown above it. `grave` ones look it. `at` is the
    part of the overview they belong to.
    """

    title: str
    button: str
    build: Callable[[Form], Request]
    about: str = ""
    keeps: tuple[str, ...] = ()
    secret: bool = False
    shows_wish: bool = False
    grave: bool = False
    at: str = ""


def _method(form: Form) -> str:
    return form.words("method")


def _new_password(form: Form) -> Secret:
    if "password" not in form:
        return SAMPLE
    if form["password"] != form.get("again", ""):
        raise NotTyped("the two passwords are not the same")
    return Secret(form["password"])


def _two_step_off(form: Form) -> Request:
    typed = bool(form.get("password")) or form.words("replace") == "yes"
    return TwoStepOff(password=_new_password(form) if typed else None)


def _app_password(form: Form) -> Request:
    days = form.words("days")
    if days and not (days.isascii() and days.isdigit() and len(days) < 6):
        raise NotTyped("the number of days is not a number")
    known, others = (_words(form.all(name)) for name in ("for", "other"))
    return NewAppPassword(
        name=form.words("name"),
        services=(*known, *others),
        known=known,
        lifetime=timedelta(days=int(days)) if days else None,
        device=form.words("device") or None,
        short=form.words("short") == "yes",
    )


def _words(typed: Sequence[str]) -> tuple[str, ...]:
    return tuple(word for one in typed for word in one.replace(",", " ").split())


def _revoke_app_passwords(form: Form) -> Request:
    everything = form.words("all") == "yes"
    return RevokeAppPasswordsNamed(names=() if everything else form.all("id"), all=everything)


def _end_sessions(form: Form) -> Request:
    return EndSessions(session=form.words("session") or None, all=form.words("all") == "yes")


def _lifetime(form: Form) -> timedelta:
    hours = form.words("hours") or "1"
    if not (hours.isascii() and hours.isdigit() and len(hours) < 4):
        raise NotTyped("the number of hours is not a number")
    return timedelta(hours=int(hours))


OFFERS: Mapping[str, Offer] = {
    "passwordless-on": Offer(
        title="Go passwordless",
        button="Delete the password",
        about="The password is deleted, not just switched off. What does not exist cannot be stolen, guessed or phished.",
        build=lambda form: PasswordlessOn(),
        grave=True,
        at="settings",
    ),
    "set-password": Offer(
        title="Set a password",
        button="Set this password",
        about="With a password the account is no longer passwordless. An old password is replaced.",
        build=lambda form: SetPassword(password=_new_password(form)),
        secret=True,
        at="settings",
    ),
    "two-step-on": Offer(
        title="Turn two-step on",
        button="Turn two-step on",
        about="From then on one proof is not enough, unless it is two factors in itself: a passkey, or a key with a PIN.",
        build=lambda form: TwoStepOn(),
        at="settings",
    ),
    "two-step-off": Offer(
        title="Turn two-step off",
        button="Turn two-step off",
        build=_two_step_off,
        keeps=("replace",),
        grave=True,
        at="settings",
    ),
    "rename-method": Offer(
        title="Rename a method",
        button="Rename",
        build=lambda form: RenameMethodTo(method=_method(form), name=form.words("name")),
        keeps=("method", "name"),
        at="methods",
    ),
    "make-default": Offer(
        title="Ask for this method first",
        button="Make it the default",
        build=lambda form: MakeDefault(method=_method(form)),
        keeps=("method",),
        at="methods",
    ),
    "remove-method": Offer(
        title="Remove a method",
        button="Remove it",
        about="For something you still have. If it is lost or stolen, report the loss instead: that acts at once.",
        build=lambda form: RemoveMethodNamed(method=_method(form)),
        keeps=("method",),
        grave=True,
        at="methods",
    ),
    "report-lost-device": Offer(
        title="Report a lost device",
        button="Turn everything on it off",
        about="Everything on this device stops working at once, and its sessions and app passwords end. You can take the "
        "report back if it turns up.",
        build=lambda form: ReportLostDevice(device=form.words("device")),
        keeps=("device",),
        grave=True,
    ),
    "report-not-me": Offer(
        title="That was not me",
        button="End it and turn its methods off",
        about="The session ends at once, and the methods that opened it are turned off, because somebody else has them.",
        build=lambda form: ReportNotMe(session=form.words("session")),
        keeps=("session",),
        grave=True,
    ),
    "new-app-password": Offer(
        title="New app password",
        button="Make it and show it once",
        build=_app_password,
        keeps=("name", "for", "other", "days", "device", "short"),
        at="app-passwords",
    ),
    "revoke-app-passwords": Offer(
        title="Revoke app passwords",
        button="Revoke",
        build=_revoke_app_passwords,
        keeps=("id", "all"),
        grave=True,
        at="app-passwords",
    ),
    "new-recovery-code": Offer(
        title="Make a recovery code",
        button="Make a code and show it once",
        about="25 characters on paper that bring you back when everything else is lost. The code you may have keeps working "
        "until you have typed the new one back.",
        build=lambda form: NewRecoveryCode(),
        at="recovery-code",
    ),
    "finish-recovery": Offer(
        title="Finish the recovery",
        button="Finish it",
        about="For a day after it, other changes wait, so that a thief cannot hurry.",
        build=lambda form: EndRecovery(),
    ),
    "cancel-recovery": Offer(
        title="Cancel the recovery",
        button="Cancel it",
        about="For a recovery that you did not start. It takes a proof with a method that was there before.",
        build=lambda form: StopRecovery(),
        grave=True,
    ),
    "cancel-waiting": Offer(
        title="Cancel what waits",
        button="Cancel it",
        about="The change that waits is not going to happen. It takes a proof with an older method.",
        build=lambda form: CancelWaiting(id=form.words("id") or None),
        keeps=("id",),
        at="waiting",
    ),
    "end-sessions": Offer(
        title="End sessions",
        button="End",
        build=_end_sessions,
        keeps=("session", "all"),
        at="sessions",
    ),
}

OPERATORS_OFFERS: Mapping[str, Offer] = {
    "report-lost-device": OFFERS["report-lost-device"],
    "start-recovery": Offer(
        title="Start a recovery",
        button="Start it and show the pass once",
        about="The person gets a temporary pass, enrols new methods with it and finishes. Make sure it is them you give it to.",
        build=lambda form: StartRecoveryOf(lost=form.all("lost"), lifetime=_lifetime(form)),
        keeps=("lost", "hours"),
        grave=True,
    ),
    "issue-temporary-pass": Offer(
        title="Issue a temporary pass",
        button="Issue it and show it once",
        about="It lets the person in for a while, to add a method. A new one takes the place of the last.",
        build=lambda form: IssuePass(lifetime=_lifetime(form), once=form.words("several") != "yes"),
        keeps=("hours", "several"),
    ),
    "revoke-temporary-pass": Offer(
        title="Revoke the temporary pass", button="Revoke it", build=lambda form: RevokePass(), grave=True
    ),
    "revoke-app-passwords": OFFERS["revoke-app-passwords"],
    "end-sessions": OFFERS["end-sessions"],
    "approve-recovery": Offer(
        title="Agree to what another operator asks for",
        button="Agree",
        about="The policy asks for two operators. Ask the other one, and the person, before you agree.",
        build=lambda form: ApproveRecovery(id=form.words("id")),
        keeps=("id",),
        shows_wish=True,
    ),
}
