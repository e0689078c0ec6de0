"""What a sign-in is for: the account, the way, and where it leads; carried from page to page."""

from __future__ import annotations

from msgspec import Struct

from passless.domain.methods import Kind
from passless.server.browser import path_here
from passless.server.pages.visiting import Form

ASKED = {
    "weak-proof": "What you are about to do needs a fresh proof that it is you.",
    "needs-key": "The program asks for a passkey or a security key: nobody can talk you out of what those prove.",
    "needs-device": "The host has asked for a password. Now show something that you have: an app, a key or a passkey.",
    "unproven-method": "Use a method that can take the password's place, so that we know it works.",
    "sign-in-needed": "Your session ended. Please sign in again.",
}  # why somebody is asked, by the code of the problem


class Wish(Struct, frozen=True, kw_only=True):
    """Why somebody signs in. `fresh`: they are signed in already and prove it again, `strength` factors strong."""

    next: str = "/"
    account: str = ""
    with_kind: Kind | None = None
    strength: int = 1
    fresh: bool = False
    why: str = ""
    more: bool = False
    another: bool = False
    remember: bool = True

    @property
    def reason(self) -> str:
        """Why, in words."""
        return ASKED.get(self.why, "")

    def query(self, **more: str) -> dict[str, str]:
        """Return the wish as it stands in an address or a form."""
        written = {
            "next": self.next,
            "account": self.account,
            "strength": str(self.strength) if self.strength > 1 else "",
            "fresh": "600" if self.fresh else "",
            "why": self.why,
            "another": "yes" if self.another else "",
        } | more
        return {name: value for name, value in written.items() if value}


def wish_of(fields: Form) -> Wish:
    """Read a wish; what is not understood is left out."""
    way = fields.words("with") or fields.words("kind")
    return Wish(
        next=path_here(fields.get("next")),
        account=fields.words("account")[:256],
        with_kind=Kind(way) if way in tuple(Kind) else None,
        strength=int(fields.words("strength")) if fields.words("strength") in ("2", "3") else 1,
        fresh=bool(fields.words("fresh")),
        why=fields.words("why") if fields.words("why") in ASKED else "",
        more=fields.words("more") == "yes",
        another=fields.words("another") == "yes",
        remember=fields.words("shared") != "yes",
    )
