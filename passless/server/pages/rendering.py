"""Turning templates into pages: escaping on, nothing undefined, times and kinds in words."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from passless.domain.methods import Kind
from passless.server.pages import wording

STATIC = ("passless.css", "passless.js", "icon.svg")


def page(template: str, **values: Any) -> str:
    """Return a page as HTML."""
    return templates().get_template(template).render(values)


@cache
def templates() -> Environment:
    """Return the templates of the package."""
    environment = Environment(
        loader=PackageLoader("passless.server.pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "day": day,
        "moment": moment,
        "kind": kind_in_words,
        "sentence": wording.sentence,
        "hint": wording.hint,
        "link": wording.link,
        "event": wording.event,
        "message": wording.message,
    }
    environment.globals |= {"static": static_address, "qr": qr, "Kind": Kind, "icon": icon}
    return environment


def day(at: datetime) -> str:
    """Return a day as people write it."""
    return f"{at.day} {at:%B %Y}"


def moment(at: datetime) -> Markup:
    """Return a time for people and machines; times are UTC and say so."""
    return Markup('<time datetime="{}">{} {:%B %Y, %H:%M} UTC</time>').format(f"{at:%Y-%m-%dT%H:%M:%SZ}", at.day, at)


def days(time: timedelta) -> int:
    """Return whole days."""
    return time.days


def kind_in_words(kind: str) -> str:
    """Return a kind of method for people."""
    return wording.KINDS.get(kind, kind)


def qr(text: str) -> Markup:
    """Return a code as an inline picture; what it says stands beside it, so readers of the screen leave it out."""
    from passless.output.qr import svg

    picture = svg(text).replace("<svg ", '<svg class="qr" role="img" aria-label="QR code" ', 1)
    return Markup(picture)  # noqa: S704 - made here, of squares


def icon(name: str) -> Markup:
    """Return a small picture that says nothing beyond the words beside it."""
    return Markup('<svg class="icon" aria-hidden="true" focusable="false"><use href="{}#{}"></use></svg>').format(
        static_address("icon.svg"), name
    )


@cache
def static_address(name: str) -> str:
    """Return where a file of the pages is, under an address that changes with it."""
    content = (files("passless.server.pages") / "static" / name).read_bytes()
    return f"/static/{name}?{sha256(content).hexdigest()[:12]}"
