"""How an account looks: at a glance, and what follows from it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta

from rich.console import RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.text import Text

from passless.domain.views import (
    AccountView,
    ApprovalView,
    FreshnessView,
    LossView,
    MethodView,
    NoticeView,
    PendingView,
    ProblemView,
    RecoveryCodeView,
    ReportView,
    StepView,
)
from passless.output.drawing import WIDEST, Look, command, facts, mark, safe, section, spoken, stack, table, when
from passless.output.human import list_of, view
from passless.output.results import GroupStatus, RecoveryStatus, SettingStatus

STATES = {"ok": "green", "unfinished": "yellow", "in-recovery": "red"}
SETTINGS = {  # what it means that a setting is on, and that it is off
    "passwordless": ("no password exists", "there is a password"),
    "two_step": ("one proof is not enough", "one proof is enough"),
}
FACTORS = {0: ("nothing fresh", "dim"), 1: ("one factor", "yellow"), 2: ("two factors", "green")}
MOST_NEWS = 5  # lines of news; the rest is in the audit trail
NOT_YOU = re.compile("; if (?:this|it) was not you: ")  # how a notice ends that says what helps
WIDE = 100  # columns, from which on all that is known of methods fits
IN_RECOVERY = "in-recovery"
STATE_WORDS = {"ok": "ok", "unfinished": "unfinished", "in-recovery": "in recovery"}


@view.register
def account(result: AccountView, look: Look) -> RenderableType:
    """Draw an account at a glance."""
    names = {method.id: method.name for method in result.methods}
    settings = facts(
        [
            ("passwordless", _switch(result.passwordless, *SETTINGS["passwordless"])),
            ("two-step", _switch(result.two_step, *SETTINGS["two_step"])),
            ("ways in", ways_in(result.ways_in, names)),
            ("recovery code", recovery_code(result.recovery_code, look)),
            *recovery_end(result.recovery_until, look),
            ("app passwords", Text(str(result.app_passwords))),
            *standing(result.groups, result.operator_over),
            ("signed in", freshness(result.session, look, in_recovery=result.state == IN_RECOVERY)),
        ]
    )
    return stack(
        _head(result, settings, look),
        section("Sign-in methods", methods(result.methods, look)) if result.methods else None,
        section("If you lose …", losses(result.losses, names, look)) if result.losses else None,
        section("Waiting", pending(result.pending, look)) if result.pending else None,
        section("Two operators", approval(result.approval, look)) if result.approval is not None else None,
        section("Reported lost", reports(result.reports, look)) if result.reports else None,
        section("Look at", problems(result.problems)) if result.problems else None,
        section("News", notices(result.notices, look)) if result.notices else None,
        section("Next", steps(result.next_steps)) if result.next_steps else None,
    )


@view.register
def setting(result: SettingStatus, look: Look) -> RenderableType:
    """Draw whether passwordless or two-step is on."""
    means = SETTINGS.get(result.setting, ("", ""))
    return stack(
        facts([(result.setting.replace("_", "-"), _switch(result.on, *means)), ("account", safe(result.account))]),
        section("Look at", problems(result.problems)) if result.problems else None,
        section("Next", steps(result.next_steps)) if result.next_steps else None,
    )


@view.register
def recovery(result: RecoveryStatus, look: Look) -> RenderableType:
    """Draw where a recovery stands."""
    state = Text(STATE_WORDS.get(result.state, result.state), style=STATES.get(result.state, ""))
    return stack(
        facts(
            [
                ("account", safe(result.account)),
                ("state", state),
                *recovery_end(result.recovery_until, look),
                ("recovery code", recovery_code(result.recovery_code, look)),
            ]
        ),
        section("Waiting", pending(result.pending, look)) if result.pending else None,
        section("Two operators", approval(result.approval, look)) if result.approval is not None else None,
        section("Reported lost", reports(result.reports, look)) if result.reports else None,
        section("Next", steps(result.next_steps)) if result.next_steps else None,
    )


@view.register
def groups(result: GroupStatus, look: Look) -> RenderableType:
    """Draw the groups of an account."""
    return facts([("account", safe(result.account, "bold")), *standing(result.groups or ("none",), result.operator_over)])


def standing(groups: Sequence[str], over: Sequence[str] | None) -> list[tuple[str, Text]]:
    """Say which groups an account is in, and whom it may help, where there is anything to say."""
    shown = [("groups", safe(", ".join(groups)))] if groups else []
    return shown if over is None else [*shown, ("operator over", safe(", ".join(over) or "everybody"))]


def approval(asked: ApprovalView, look: Look) -> RenderableType:
    """Draw what two operators must agree to."""
    agreed = safe(asked.approved_by or "nobody yet: passless recover approve", "" if asked.approved_by else "yellow")
    turned_off = ", ".join(f'"{name}"' for name in asked.lost_methods)
    return facts(
        [
            ("asked for", safe(asked.asked)),
            *([("turns off", safe(turned_off))] if turned_off else []),
            ("by", safe(asked.asked_by)),
            *([("reason", safe(asked.reason))] if asked.reason else []),
            ("when", when(asked.asked_at, look.now)),
            ("id", safe(asked.id)),
            ("approved by", agreed),
        ]
    )


@list_of(MethodView)
def methods(items: Sequence[MethodView], look: Look) -> RenderableType:
    """Draw sign-in methods with what each is worth."""
    if not items:
        return safe("there is no sign-in method yet: passless method add totp", "dim")
    columns = ("name", "kind", "device", "strength", "last used")
    made = table(look, *columns, *(("added", "id") if look.width >= WIDE else ()))
    for one in items:
        name = safe(f"{one.name} ★" if one.default else one.name, "bold" if one.usable else "dim strike")
        lives = safe(one.device or "–", "" if one.device else "dim")
        line = (name, safe(one.kind), lives, strength(one, look), when(one.last_used_at, look.now))
        more = (when(one.added_at, look.now), safe(one.id, "dim"))
        made.add_row(*line, *(more if look.width >= WIDE else ()))
    return made


def strength(method: MethodView, look: Look) -> Text:
    """Say what a method is worth."""
    if not method.usable:
        return Text("not usable", style="red")
    if method.phishing_resistant:
        both = method.two_factor and look.width >= WIDE
        return Text("unphishable, two factors" if both else "unphishable", style="green")
    return Text("two factors", style="green") if method.two_factor else Text("one factor", style="yellow")


def ways_in(ways: Sequence[Sequence[str]], names: dict[str, str]) -> Text:
    """Name the ways in."""
    if not ways:
        return Text("none", style="bold red")
    return safe("  or  ".join(" + ".join(names.get(one, one) for one in way) for way in ways))


def recovery_end(until: datetime | None, look: Look) -> tuple[tuple[str, Text], ...]:
    """Say until when other changes wait after a finished recovery (rule 10); nothing where none binds."""
    if until is None:
        return ()
    told = f"finished; changes besides new methods and codes wait until {until:%Y-%m-%d %H:%M} UTC, {spoken(until, look.now)}"
    return (("recovery", Text(told, style="yellow")),)


def recovery_code(code: RecoveryCodeView, look: Look) -> Text:
    """Say how the recovery code stands."""
    if not code.exists:
        return Text("none", style="yellow")
    made = spoken(code.created_at, look.now) if code.created_at else "some time ago"
    if code.saved and code.unsaved_at is not None:
        newer = f"a new one, made {spoken(code.unsaved_at, look.now)}, is not typed back yet"
        return Text(f"{newer}; the one made {made} is still good", style="yellow")
    if code.saved:
        return Text(f"saved, made {made}", style="green")
    return Text(f"made {made}, not confirmed yet", style="yellow")


def freshness(session: FreshnessView | None, look: Look, *, in_recovery: bool = False) -> Text:
    """Say how long the session in use lasts, and what it may change."""
    if session is None:
        return Text("no", style="dim")
    words, style = FACTORS.get(session.strength, ("", ""))
    lasts = f"for {_left(session.expires_at, look)}"
    if session.fresh_until is None and in_recovery:
        return Text(f"{lasts}, in recovery", style="yellow")
    if session.fresh_until is None:
        return safe(f"{lasts}; prove it again before changes: passless sign-in", "dim")
    if session.made:
        return Text(f"{lasts}; just made, which counts for changes for {_left(session.fresh_until, look)}", style=style)
    return Text(f"{lasts}; {words} proven, enough for changes for {_left(session.fresh_until, look)}", style=style)


def _left(until: datetime, look: Look) -> str:
    return spoken(until, look.now).removeprefix("in ")


def rounded_up(until: datetime, look: Look) -> str:
    """Say how long is left, with a day that has begun as a whole one."""
    days = -((look.now - until) // timedelta(days=1))
    return f"{days} days" if days > 1 else _left(until, look)


def losses(items: Sequence[LossView], names: dict[str, str], look: Look) -> RenderableType:
    """Draw what losing each device would leave."""
    made = table(look, "device", "", "what is left")
    for one in items:
        left = ways_in(one.ways_in, names)
        if not one.ways_in:
            left = (
                Text("the recovery code", style="yellow")
                if one.survives
                else Text("nothing: you would be locked out", style="red")
            )
        made.add_row(safe(one.device), mark(good=one.survives), left)
    return made


def problems(items: Sequence[ProblemView]) -> RenderableType:
    """Draw problems, each with what to do; the same advice for several in a row is said once, below the last of them."""
    grid = facts([])
    for one, below in zip(items, (*items[1:], None), strict=True):
        is_refusal = one.severity == "refusal"
        sign = Text("✗" if is_refusal else "!", style="red" if is_refusal else "yellow")
        grid.add_row(
            sign, stack(safe(one.message), None if below is not None and one.hint == below.hint else safe(one.hint, "dim"))
        )
    return grid


def steps(items: Sequence[StepView]) -> RenderableType:
    """Draw what to do next."""
    grid = facts([])
    for number, one in enumerate(items, start=1):
        optional = " (if you like)" if one.optional else ""
        grid.add_row(Text(f"{number}."), stack(safe(one.message + optional), command(one.command)))
    return grid


def pending(items: Sequence[PendingView], look: Look) -> RenderableType:
    """Draw what waits."""
    made = table(look, "what", "due", "id")
    for one in items:
        made.add_row(safe(one.message), when(one.due_at, look.now), safe(one.id, "dim"))
    return made


def reports(items: Sequence[ReportView], look: Look) -> RenderableType:
    """Draw reported losses that can be taken back."""
    made = table(look, "what", "reported", "can be taken back")
    for one in items:
        made.add_row(safe(one.what), when(one.reported_at, look.now), Text(f"for {rounded_up(one.until, look)}"))
    return made


def notices(items: Sequence[NoticeView], look: Look) -> RenderableType:
    """Draw what happened, the newest first, and once what helps if it was somebody else."""
    newest = sorted(items, key=lambda one: one.at)[::-1]  # of the same moment, the later one first
    told = [(one.at, NOT_YOU.split(one.message, maxsplit=1)) for one in newest[:MOST_NEWS]]
    more = len(newest) - len(told)
    helps = dict.fromkeys(rest for _, (_, *after) in told for rest in after)
    return stack(
        facts((spoken(at, look.now), safe(what)) for at, (what, *_) in told),
        Text.assemble((f"and {more} more: ", "dim"), command("passless audit list")) if more else None,
        *(safe(f"if that was not you: {one}", "dim") for one in helps),
    )


def _head(result: AccountView, body: RenderableType, look: Look) -> RenderableType:
    title = Text.assemble(
        safe(result.account, "bold"),
        safe(f"  {result.display_name}" if result.display_name else "", "dim"),
        safe(f"  {result.profile}", "dim"),
    )
    state = Text(STATE_WORDS.get(result.state, result.state), style=f"bold {STATES.get(result.state, '')}")
    if not look.is_terminal:
        return stack(Text.assemble(title, "  ", state), Text(""), Padding(body, (0, 0, 0, 2)))
    colour = STATES.get(result.state, "white")
    width = min(look.width, WIDEST)
    return Panel(
        body, title=title, title_align="left", subtitle=state, subtitle_align="right", border_style=colour, width=width
    )


def _switch(is_on: bool, if_on: str, if_off: str) -> Text:
    sign, style = ("on ", "green") if is_on else ("off", "yellow")
    return Text.assemble((sign, style), (f"  {if_on if is_on else if_off}", "dim"))
