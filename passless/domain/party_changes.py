"""Changing what is registered of a relying party.

What makes it another program stays: its id, its kind, whether it has a secret, and whether it looks at tokens of others.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import asdict

from passless.domain import names
from passless.domain.names import printable
from passless.domain.party_kinds import PartyKind, Requirement
from passless.domain.relying_parties import BadRedirectUri, BadRelyingParty, Client, NewRelyingParty, cleaned
from passless.domain.safety.assurance import REQUIRED

NOTHING_SAID = "name what is to change; see: passless relying-party set --help"


class RelyingPartyChange(Struct, frozen=True, kw_only=True):
    """Change a relying party (operators over all, or the host): what is None stays, and all else is as in `NewRelyingParty`.

    `redirect_uris` are all of them from now on; `add_redirect_uris` and `remove_redirect_uris` are some, of those that there
    are when it is changed.
    """

    name: str | None = None
    redirect_uris: tuple[str, ...] | None = None
    add_redirect_uris: tuple[str, ...] = ()
    remove_redirect_uris: tuple[str, ...] = ()
    scopes: tuple[str, ...] | None = None
    requires: str | None = None
    services: tuple[str, ...] | None = None
    after_sign_out: tuple[str, ...] | None = None
    told_of_endings_at: str | None = None
    signed_with: str | None = None
    groups: tuple[str, ...] | None = None


FIELDS = (
    "name",
    "redirect_uris",
    "requires",
    "scopes",
    "services",
    "after_sign_out",
    "told_of_endings_at",
    "signed_with",
    "groups",
)
WORDS = {
    "name": "name",
    "redirect_uris": "people go back to",
    "requires": "people sign in",
    "scopes": "scopes",
    "services": "services",
    "after_sign_out": "after signing out to",
    "told_of_endings_at": "told of endings at",
    "signed_with": "signed with",
    "groups": "its users are in",
}  # of the fields, where it is said what changes


ONE_BY_ONE = ("redirect_uris", "after_sign_out")  # fields whose values are long, so that those that stay are not said


class Difference(Struct, frozen=True, kw_only=True):
    """A field that changes, before and after."""

    field: str
    before: str | tuple[str, ...]
    after: str | tuple[str, ...]

    @property
    def message(self) -> str:
        """What changes, in words."""
        before, after, words = self.before, self.after, WORDS[self.field]
        if self.field in ONE_BY_ONE and isinstance(before, tuple) and isinstance(after, tuple) and before and after:
            more = [f"also {one}" for one in after if one not in before]
            return f"{words}: {', '.join((*more, *(f'no more {one}' for one in before if one not in after)))}"
        return f"{words}: {_spoken(self.field, before)} → {_spoken(self.field, after)}"


def changed(client: Client, change: RelyingPartyChange) -> NewRelyingParty:
    """Return what is registered after a change, in its normal form; else the error says what cannot be."""
    if change == RelyingPartyChange():
        raise BadRelyingParty("nothing is said that should change", hint=NOTHING_SAID)
    said = {field: getattr(change, field) for field in FIELDS}
    wanted = {field: getattr(client, field) for field in FIELDS} | {
        field: value for field, value in said.items() if value is not None
    }
    wanted["redirect_uris"] = _addresses(client, change)
    after = cleaned(
        NewRelyingParty(kind=client.kind, public=client.is_public, introspects=client.introspects, **wanted),
    )
    is_of_a_browser = client.kind in (PartyKind.OAUTH, PartyKind.OIDC)
    if is_of_a_browser and client.redirect_uris and not (after.redirect_uris or client.introspects):
        raise BadRedirectUri(
            "people would have no address to come back to", hint="name another one beside it: --add-redirect-uri URI"
        )
    return after


def differences(client: Client, after: NewRelyingParty) -> tuple[Difference, ...]:
    """Return what a change changes; the order of addresses, scopes and services is no difference."""
    pairs = ((field, getattr(client, field), getattr(after, field)) for field in FIELDS)
    return tuple(Difference(field=field, before=old, after=new) for field, old, new in pairs if _plain(old) != _plain(new))


def takes_away(client: Client, after: NewRelyingParty) -> bool:
    """Tell whether an address or a scope goes, with which something may have been given that could not be given now."""
    return not (set(client.redirect_uris) <= set(after.redirect_uris) and set(client.scopes) <= set(after.scopes))


def asks_more(client: Client, after: NewRelyingParty) -> bool:
    """Tell whether people have to prove more than before."""
    return REQUIRED[Requirement(after.requires)] > REQUIRED[client.requires]


def serves_less(client: Client, after: NewRelyingParty) -> bool:
    """Tell whether an app password that was good there is not any more; no services are all of them."""
    return bool(after.services) and not (client.services and set(client.services) <= set(after.services))


def has_fewer_users(client: Client, after: NewRelyingParty) -> bool:
    """Tell whether somebody is no user of a host any more; no groups are everybody."""
    kept = {names.key(one) for one in after.groups}
    return bool(kept) and not (client.groups and {names.key(one) for one in client.groups} <= kept)


def fields_of(after: NewRelyingParty) -> dict[str, object]:
    """Return the fields that a change may change, as they are kept."""
    return {field: value for field, value in asdict(after).items() if field in FIELDS} | {
        "requires": Requirement(after.requires)
    }


def _addresses(client: Client, change: RelyingPartyChange) -> tuple[str, ...]:
    if change.redirect_uris is not None and (change.add_redirect_uris or change.remove_redirect_uris):
        hint = "either name all addresses, or those to add and to remove"
        raise BadRedirectUri("all addresses are named, and some to add or remove beside them", hint=hint)
    there = client.redirect_uris if change.redirect_uris is None else change.redirect_uris
    return tuple(_without(there, change.remove_redirect_uris, also=change.add_redirect_uris))


def _without(there: tuple[str, ...], removed: tuple[str, ...], *, also: tuple[str, ...]) -> Iterator[str]:
    for uri in removed:
        if uri not in there:
            hint = f"there are: {' '.join(there)}" if there else "it has none"
            raise BadRedirectUri(f'"{printable(uri)}" is not one of its addresses', hint=hint)
        if uri in also:
            raise BadRedirectUri(f'"{printable(uri)}" is to be added and removed', hint="leave out one of the two")
    yield from dict.fromkeys((*(one for one in there if one not in removed), *also))


def _plain(value: str | tuple[str, ...]) -> str | frozenset[str]:
    return frozenset(value) if isinstance(value, tuple) else value


def _spoken(field: str, value: str | tuple[str, ...]) -> str:
    match field, value:
        case "requires", Requirement.ANY | "any":
            return "any way"
        case "requires", str():
            return "with two factors" if value == Requirement.TWO_FACTORS else "safe from phishing"
        case "services", ():
            return "any"
        case "redirect_uris", ():
            return "no address of its own"
        case "scopes" | "after_sign_out" | "told_of_endings_at", () | "":
            return "none" if field == "scopes" else "nowhere"
        case "groups", ():
            return "any group or none"
        case "signed_with", "":
            return "as usual"
        case _, tuple():
            return ", ".join(value)
    return str(value)
