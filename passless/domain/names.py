"""Names that people give: what is allowed, and when two are the same."""

from __future__ import annotations

import unicodedata

from passless.domain.errors import WrongUse

NAME_LENGTH = 64  # characters; what a table column and a passkey prompt can show
LONGEST_TYPED = 4 * NAME_LENGTH  # characters; NFKC makes one of four at most (U+1F82), so what is longer is no name
REFUSED_CATEGORIES = {
    "Cc": "control characters",
    "Cf": "invisible or direction-changing characters",
    "Cs": "broken characters",
    "Co": "private-use characters",
    "Cn": "characters that mean nothing",
    "Zl": "line breaks",
    "Zp": "line breaks",
}


PLAIN = " ._-@+'"  # beside letters, their marks and digits
PATH_WORDS = frozenset({"me", ".", ".."})  # in an address of the interface: whoever is signed in, and no name at all


class BadName(WrongUse):
    """A name that cannot be used."""

    code = "bad-name"
    hint = f"use 1 to {NAME_LENGTH} visible characters"


def clean(text: str, *, what: str = "name") -> str:
    """Return a name in its normal form (NFKC, no space around it).

    Raises:
        BadName: it is empty, too long, or has characters that do not show.
    """
    if len(text) > LONGEST_TYPED:
        raise BadName(f"the {what} is too long: {len(text)} characters")
    name = unicodedata.normalize("NFKC", text).strip()
    if not name:
        raise BadName(f"the {what} is empty")
    if len(name) > NAME_LENGTH:
        raise BadName(f"the {what} is too long: {len(name)} characters")
    for character in name:
        if reason := REFUSED_CATEGORIES.get(unicodedata.category(character)):
            raise BadName(f"the {what} has {reason} (U+{ord(character):04X})")
    return name


def clean_account(text: str) -> str:
    """Return a name that an account can have, in its normal form.

    Raises:
        BadName: it cannot be a name, or means something else where it stands in an address.
    """
    name = clean(text, what="account name")
    if key(name) in PATH_WORDS:
        raise BadName(
            f'"{name}" cannot be the name of an account: in an address it means something else', hint="choose another"
        )
    return name


def is_plain(name: str) -> bool:
    """Tell whether programs take a name for one name: where they split lists at commas, "admin,x" is also `admin`."""
    return all(unicodedata.category(one)[0] in "LMN" or one in PLAIN for one in name)


def check_no_address(name: str) -> None:
    """Refuse a name that could be somebody's e-mail address, where nobody who answers for it gave it."""
    if "@" in name:
        raise BadName(
            f'"{name}" has "@" in it, as an e-mail address has',
            hint='choose a name without "@", or ask an operator for an invitation to that name',
        )


def key(name: str) -> str:
    """Return the form under which two names are the same; what is too long to be a name is the same as itself alone.

    Putting accents in order takes the square of how many there are, and what is looked up may be anybody's text.
    """
    if len(name) > LONGEST_TYPED:
        return name
    if name.isascii():  # nothing to normalize, and most names
        return name.strip().lower()
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).strip().casefold())


def are_same(one: str, other: str) -> bool:
    """Tell whether two names mean the same."""
    return key(one) == key(other)


def printable(text: str, *, at_most: int = 80) -> str:
    """Return text from outside in a form that is safe to print in a message."""
    shown = text
    if not (text.isascii() and text.isprintable()):
        shown = "".join("\ufffd" if unicodedata.category(one) in REFUSED_CATEGORIES else one for one in text)
    return shown if len(shown) <= at_most else shown[: at_most - 1] + "…"


def printable_lines(text: str) -> str:
    """Return text of several lines, with something from outside in it, in a form that is safe to print."""
    if text.isprintable():
        return text
    return "\n".join(printable(line, at_most=len(line)) for line in text.split("\n"))
