"""One request to a page: who asks, on which account, and how the answer is sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, TypeAlias
from urllib.parse import parse_qsl, urlencode

from litestar import Response
from litestar.datastructures import Cookie
from litestar.di import NamedDependency

from passless.actions.who import SignInNeeded, session_of
from passless.domain.errors import WrongUse
from passless.domain.sessions import Session
from passless.domain.views import AccountView
from passless.ports.directory import NOBODY, Actor, Directory, Operator
from passless.server import browser
from passless.server.site import Site

Page = Response[Any]
MOST_FIELDS = 100  # of a form; ours have fewer than twenty
DONE = "passless-done"  # the cookie that says on the next page what was done


class BadForm(WrongUse):
    """A form that none of our pages sends."""

    code = "bad-form"
    hint = "open the page again"
    default = "that form is not understood"


class Form(Mapping[str, str]):
    """The fields of a form or a query; of several with one name the first, `all` returns each."""

    def __init__(self, fields: Sequence[tuple[str, str]]) -> None:
        self._fields = tuple(fields)

    def __getitem__(self, name: str) -> str:
        for one, value in self._fields:
            if one == name:
                return value
        raise KeyError(name)

    def __iter__(self) -> Any:
        return iter(dict.fromkeys(name for name, _ in self._fields))

    def __len__(self) -> int:
        return len({name for name, _ in self._fields})

    def __repr__(self) -> str:
        return f"Form({', '.join(self)})"  # the values may be secrets

    def words(self, name: str) -> str:
        """Return what was typed, without space around it; empty where it is missing."""
        return self.get(name, "").strip()

    def all(self, name: str) -> tuple[str, ...]:
        """Return every value of a field that stands several times."""
        return tuple(value for one, value in self._fields if one == name)


def parse_form(content: str) -> Form:
    """Read URL-encoded fields; `BadForm` where they are none."""
    try:
        return Form(parse_qsl(content, keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict"))
    except ValueError as error:
        raise BadForm from error


class Visit:
    """A request to a page, and what its answer needs."""

    def __init__(self, request: browser.Asking, site: Site) -> None:
        self.request = request
        self.site = site

    @cached_property
    def actor(self) -> Actor:
        """Who asks."""
        return browser.actor_of(self.request, self.site)

    @property
    def directory(self) -> Directory:
        """Where the accounts live."""
        return self.site.directory

    @cached_property
    def session(self) -> Session | None:
        """The session of the browser, if it still holds."""
        return session_of(self.site.parts, self.actor)

    def still_signed_in(self) -> bool:
        """Tell whether the session holds even now, after what was done."""
        return session_of(self.site.parts, self.actor) is not None

    @property
    def account(self) -> str:
        """The id of the account that is signed in; `SignInNeeded` where none is."""
        if self.session is None:
            raise SignInNeeded("sign in first")
        return self.session.account_id

    def view(self) -> AccountView:
        """Return the account that is signed in, at a glance."""
        return self.directory.read(self.actor, self.account)

    def operator(self, reason: str, ticket: str) -> Actor:
        """Return who asks, as somebody who helps another."""
        return Actor(
            token=self.actor.token,
            operator=Operator(reason=reason, ticket=ticket),
            place=self.actor.place,
            visit=self.actor.visit,
        )

    @property
    def asker(self) -> Actor:
        """Return the browser without its session: for somebody who is about to sign in."""
        return Actor(token=NOBODY.token, place=self.actor.place, visit=self.actor.visit)

    @cached_property
    def query(self) -> Form:
        """What stands behind the address."""
        return parse_form(self.request.scope.get("query_string", b"").decode("latin-1"))

    def page(self, template: str, *, status: int = 200, cookies: Sequence[Cookie] = (), **values: Any) -> Page:
        """Return a page."""
        return browser.render(self.request, self.site, template, status=status, cookies=cookies, **values)

    def go(self, path: str, query: Mapping[str, str] | None = None, *, done: str = "", cookies: Sequence[Cookie] = ()) -> Page:
        """Send the browser to a page; `done` is the code of what is said there once."""
        address = f"{path}?{urlencode(query)}" if query else path
        said = (browser.cookie(self.site, DONE, done, max_age=60),) if done else ()
        return browser.redirect(self.request, self.site, address, cookies=(*cookies, *said))

    def said(self) -> tuple[str, tuple[Cookie, ...]]:
        """Return the code of what was done just before, and the cookie that says it no more."""
        done = self.request.cookies.get(browser.cookie_name(self.site, DONE), "")
        return done, ((browser.cookie(self.site, DONE, "", max_age=0),) if done else ())

    def next_path(self, fields: Form) -> str:
        """Return the page to go on to, which is one of ours."""
        return browser.path_here(fields.get("next"))


Visiting: TypeAlias = NamedDependency[Visit]  # in a handler: the request, as `routing` makes it
Filled: TypeAlias = NamedDependency[Form]  # in a handler: a form that was checked
