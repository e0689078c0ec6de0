"""What a relying party is told of a person: the claims there are, what a scope stands for, what a request names one by one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from authlib.oauth2.rfc6749 import InvalidRequestError
from msgspec import Struct

from passless.domain.account import Account

OPENID, PROFILE, EMAIL, OFFLINE = "openid", "profile", "email", "offline_access"
SCOPES = (OPENID, PROFILE, EMAIL, OFFLINE)  # known to every relying party of the kind oidc
CLAIMS: Mapping[str, tuple[str, ...]] = {  # OpenID Connect Core §5.4, as far as something is known
    PROFILE: ("name", "preferred_username"),
    EMAIL: ("email", "email_verified"),
}
NO_ADDRESS = "know your e-mail address, but none that stands for you is known here, so it learns none"
LONGEST = 2048  # characters of the parameter `claims`


class Asked(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a request names in its `claims` (OpenID Connect Core §5.5).

    `in_id_token` are claims that are to stand in the id_token itself, `scopes` those that the claims belong to. `acrs` are the
    words one of which the id_token must say where `acr_is_essential`; `subject` is who alone may answer.
    """

    in_id_token: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    acrs: tuple[str, ...] = ()
    acr_is_essential: bool = False
    subject: str = ""


def read(text: str | None) -> Asked:
    """Read the parameter; `InvalidRequestError` where it is none. Claims that are not known are passed over (§5.5)."""
    if text is None:
        return Asked()
    try:
        said = msgspec.json.decode(text[: LONGEST + 1], type=dict[str, dict[str, dict[str, Any] | None]])
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise InvalidRequestError("claims is not understood") from error
    in_token, in_userinfo = said.get("id_token", {}), said.get("userinfo", {})
    acr = in_token.get("acr") or {}
    subject = (in_token.get("sub") or {}).get("value", "")
    if not isinstance(subject, str):
        raise InvalidRequestError("claims is not understood")
    return Asked(
        in_id_token=tuple(name for names in CLAIMS.values() for name in names if name in in_token),
        scopes=tuple(scope for scope, names in CLAIMS.items() if any(one in in_token or one in in_userinfo for one in names)),
        acrs=tuple(one for one in (*_some(acr.get("values")), *_some([acr.get("value")])) if isinstance(one, str)),
        acr_is_essential=acr.get("essential") is True,
        subject=subject,
    )


def of(account: Account, scopes: Iterable[str]) -> dict[str, Any]:
    """Return what the scopes stand for: an address only where it stands for the account, which somebody answerable gave."""
    said: dict[str, Any] = {"sub": account.id}
    known = set(scopes)
    if PROFILE in known:
        said |= {"name": account.display_name or account.name, "preferred_username": account.name}
    if EMAIL in known and account.address_names:
        said |= {"email": account.address_names[0], "email_verified": True}
    return said


def _some(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def telling(account: Account, scope: str) -> list[str]:
    """Say what a relying party is told and may do, in plain words."""
    said, scopes = of(account, scope.split()), scope.split()
    lines = ["know who you are: the id of your account"]
    if "name" in said:
        names = dict.fromkeys((said["name"], said["preferred_username"]))
        lines.append("know your name: " + " and ".join(f'"{one}"' for one in names))
    if EMAIL in scopes:
        lines.append(f"know your e-mail address: {said['email']}" if "email" in said else NO_ADDRESS)
    if OFFLINE in scopes:
        lines.append("ask again while you are away, for 30 days or until you put it out")
    return [*lines, *(f"use what it calls {one}" for one in scopes if one not in SCOPES)]
