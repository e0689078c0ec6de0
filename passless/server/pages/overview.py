"""The security overview: how one signs in, what to do next, and what happened."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import islice

from litestar import get, post
from msgspec import Struct

from passless.actions import services
from passless.actions.activity import latest_events
from passless.actions.who import SignInNeeded
from passless.domain.audit import AuditEvent
from passless.domain.legacy_apps import LEGACY_APPS
from passless.domain.methods import MEMORY
from passless.domain.views import AccountView, DeviceView, MethodView, SessionView
from passless.server import browser
from passless.server.pages.visiting import Filled, Page, Visit, Visiting

AT_A_GLANCE = timedelta(days=30)  # features.md, "activity"
SHOWN = 8  # events on the overview; all of the 30 days stand on pages of their own
ON_A_PAGE = 100  # events
LONGEST_NUMBER = 18  # digits of an event's number; a store keeps 64 bits
SOON = 2  # sessions that are shown before "all"


class Happened(Struct, frozen=True, kw_only=True):
    """An event, and the session that it opened where that is still there."""

    event: AuditEvent
    session: SessionView | None


@get("/", sync_to_thread=True)
def overview(visit: Visiting) -> Page:
    """Show the account at a glance."""
    try:
        view = visit.view()
    except SignInNeeded:
        return browser.sign_in_first(visit.request, visit.site)
    done, cookies = visit.said()
    sessions = visit.directory.sessions(visit.actor, view.id)
    events = tuple(islice(_events(visit, view), SHOWN + 1))
    devices = visit.directory.devices(visit.actor, view.id)
    return visit.page(
        "overview.html",
        cookies=cookies,
        view=view,
        done=done,
        devices=_with_something(devices),
        elsewhere=_elsewhere(view, devices),
        sessions=sessions,
        app_passwords=visit.directory.app_passwords(visit.actor, view.id),
        happened=_with_sessions(events[:SHOWN], sessions),
        more_events=len(events) > SHOWN,
        recovering=_recovering(visit),
        survives=_survives(view),
    )


def _survives(view: AccountView) -> bool:
    """Tell whether the account stands any one loss; a password that is all there is can be forgotten."""
    has_another_way = len(view.methods) > 1 or view.recovery_code.saved
    return has_another_way and all(loss.survives for loss in view.losses)


def _recovering(visit: Visit) -> bool:
    return visit.session is not None and visit.session.kind in {"temporary-pass", "recovery-code"}


def _with_something(devices: Sequence[DeviceView]) -> tuple[DeviceView, ...]:
    return tuple(device for device in devices if device.methods and device.name != MEMORY)


def _elsewhere(view: AccountView, devices: Sequence[DeviceView]) -> tuple[MethodView, ...]:
    """Return the methods that live on no thing, such as the password."""
    shown = {method.id for device in _with_something(devices) for method in device.methods}
    return tuple(method for method in view.methods if method.id not in shown)


def _events(visit: Visit, view: AccountView, before: int | None = None) -> Iterator[AuditEvent]:
    """Stream what happened in the last 30 days, the newest first."""
    parts = visit.site.parts
    return latest_events(parts, visit.actor, view.id, since=parts.now() - AT_A_GLANCE, before=before)


def _with_sessions(events: Sequence[AuditEvent], sessions: Sequence[SessionView]) -> list[Happened]:
    opened = {(one.created_at, one.place): one for one in sessions}
    return [Happened(event=one, session=opened.get((one.at, one.place))) for one in events]


@get("/activity", sync_to_thread=True)
def activity(visit: Visiting) -> Page:
    """Show what happened in the last 30 days, page by page."""
    view, before = visit.view(), _number(visit.query.words("before"))
    sessions = visit.directory.sessions(visit.actor, view.id)
    events = tuple(islice(_events(visit, view, before), ON_A_PAGE + 1))
    shown = events[:ON_A_PAGE]
    return visit.page(
        "activity.html",
        view=view,
        happened=_with_sessions(shown, sessions),
        is_first=before is None,
        older=shown[-1].seq if len(events) > ON_A_PAGE else None,
    )


def _number(words: str) -> int | None:
    """Return the event that a page begins behind; none where it is no number that one could have."""
    return int(words) if words.isascii() and words.isdigit() and len(words) <= LONGEST_NUMBER else None


@get("/programs", sync_to_thread=True)
def programs(visit: Visiting) -> Page:
    """Show which programs need something once there is no password."""
    return visit.page("programs.html", programs=LEGACY_APPS)


@get("/app-passwords/new", sync_to_thread=True)
def new_app_password(visit: Visiting) -> Page:
    """Ask what an app password is for."""
    view = visit.view()
    here = services.of_relying_parties(visit.site.parts)
    return visit.page("app_password.html", view=view, fields=visit.query, devices=sorted({*_devices(view)}), here=here)


def _devices(view: AccountView) -> list[str]:
    return [method.device for method in view.methods if method.device and method.device != MEMORY]


@post("/notices/seen", sync_to_thread=True)
def seen(visit: Visiting, form: Filled) -> Page:
    """Take notices off the page."""
    visit.directory.seen(visit.actor, visit.account, form.all("id"))
    return visit.go("/")


HANDLERS = (overview, activity, programs, new_app_password, seen)
