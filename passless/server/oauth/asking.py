"""An authorization request: what it asks of whom, and whether the person in this browser has proven enough for it."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import InvalidRequestError
from msgspec import Struct
from msgspec.structs import replace

from passless.actions import granting
from passless.actions.accounts import find_id
from passless.actions.parts import Parts
from passless.actions.who import session_of, session_on
from passless.domain.account import Account
from passless.domain.methods import Strength
from passless.domain.safety.assurance import ACR_VALUES, assurance, best_assurance
from passless.domain.safety.context import GIVES_NO_PROOF
from passless.domain.safety.proofs import strongest_way_in
from passless.domain.sessions import OF_PROGRAMS, STEP_UP, Session, SessionKind
from passless.ports import NoSuchAccount
from passless.ports.directory import Actor
from passless.server.oauth.authorization import Authorization
from passless.server.oauth.calls import ClientRequest
from passless.server.oauth.clients import KnownClient
from passless.server.oauth.forms import Malformed
from passless.server.openid import claims, id_tokens
from passless.server.openid.claims import OPENID
from passless.server.openid.id_tokens import Said
from passless.server.site import Site

ONLY = "passless_only"  # who alone may answer; it stands for the `id_token_hint`, which is long
ASKED = "passless_asked"  # when a sign-in was asked for, so that one after it counts
ASKED_LIFE = timedelta(minutes=15)  # how long a person may take for it
LONGEST_STATE = 1024  # characters of what is passed back
LONGEST_AGE = timedelta(days=365)
UNDERSTOOD = frozenset(
    {
        "response_type",
        "response_mode",
        "client_id",
        "redirect_uri",
        "scope",
        "state",
        "code_challenge",
        "code_challenge_method",
        "prompt",
        "max_age",
        "acr_values",
        "login_hint",
        "nonce",
        "claims",
        ONLY,
    }
)
PROMPTS = frozenset({"login", "consent", "select_account", "none"})
WITHOUT_OPENID = frozenset({"nonce", "claims", "id_token_hint", ONLY})  # which mean nothing to OAuth alone


class Wish(Struct, frozen=True, kw_only=True):
    """How the person is to have signed in: OpenID Connect's words, and those of RFC 9470."""

    prompt: frozenset[str] = frozenset()
    max_age: timedelta | None = None
    factors: int = 0  # an `Assurance`
    asked_at: datetime | None = None

    @property
    def is_fresh(self) -> bool:
        """Whether a proof of any age does not do."""
        return self.max_age is not None or "login" in self.prompt


class AuthorizationRequest(Struct, frozen=True, kw_only=True):
    """A request that may be answered to its client: who it is and where they are is known."""

    client: KnownClient
    redirect_uri: str
    scope: str
    challenge: str
    state: str | None
    wish: Wish
    values: Mapping[str, str]
    said: Said = Said()
    only: str = ""  # the account that alone may answer


class Person(Struct, frozen=True):
    """Whoever is signed in to this browser."""

    account: Account
    session: Session


def known(values: Mapping[str, str], *, with_mark: bool = False) -> dict[str, str]:
    """Return the parameters that mean something here, to ask for the same once more."""
    kept = UNDERSTOOD | {ASKED} if with_mark else UNDERSTOOD
    return {name: value for name, value in values.items() if name in kept}


def read(site: Site, values: dict[str, str]) -> AuthorizationRequest:
    """Return what is asked.

    Raises:
        OAuth2Error: it cannot be; with its `redirect_uri` where the client is to be told.
        Malformed: there is no telling who asks.
    """
    state = values.get("state")
    if state is not None and len(state) > LONGEST_STATE:
        raise Malformed("the request is too long")
    grant = Authorization(site).get_consent_grant(ClientRequest("GET", values))
    client: KnownClient = grant.client
    values = openid_words(values) if client.speaks_openid else without_openid(values)
    try:
        wish, named = _wish(site, values), claims.read(values.get("claims"))
        only = _only(site, client, values, named)
        wish = replace(wish, factors=max(_factors(values, named), client.requires))
        if len(values.get("nonce", "")) > LONGEST_STATE:
            raise InvalidRequestError("nonce is too long")
    except OAuth2Error as error:
        error.redirect_uri, error.state = grant.redirect_uri, state
        raise
    values = {name: value for name, value in values.items() if name != "id_token_hint"} | ({ONLY: only} if only else {})
    return AuthorizationRequest(
        client=client,
        redirect_uri=grant.redirect_uri,
        scope=_with_scopes(grant.request.scope, named),
        said=_said(values, named),
        only=only,
        challenge=values["code_challenge"],
        state=state,
        wish=wish,
        values=known(values),
    )


def _wish(site: Site, values: Mapping[str, str]) -> Wish:
    if values.get("response_mode", "query") != "query":
        raise InvalidRequestError("response_mode must be query")
    for name in ("request", "request_uri", "registration"):
        if name in values:
            raise OAuth2Error(error=f"{name}_not_supported")
    prompt = frozenset(values.get("prompt", "").split())
    if not prompt <= PROMPTS or (len(prompt) > 1 and "none" in prompt):
        raise InvalidRequestError("prompt is not understood")
    return Wish(
        prompt=prompt,
        max_age=_max_age(values.get("max_age")),
        asked_at=_asked_at(site.parts, values),
    )


def without_openid(values: dict[str, str]) -> dict[str, str]:
    """Return a request without what only means something to OpenID Connect."""
    return {name: value for name, value in values.items() if name not in WITHOUT_OPENID}


def openid_words(values: dict[str, str]) -> dict[str, str]:
    """Return a request as it was; without the scope `openid` it is one of OAuth alone (OpenID Connect Core §3.1.2.1)."""
    return values if OPENID in values.get("scope", "").split() else without_openid(values)


def _factors(values: Mapping[str, str], named: claims.Asked) -> int:
    """Return how sure it must be who it is: the first word that is known, and of an essential claim the least of them."""
    known = [ACR_VALUES[one] for one in values.get("acr_values", "").split() if one in ACR_VALUES]
    wanted = [ACR_VALUES[one] for one in named.acrs if one in ACR_VALUES]
    if named.acrs and not wanted and named.acr_is_essential:
        raise OAuth2Error(error="unmet_authentication_requirements")
    return max(known[0] if known else 0, min(wanted, default=0))


def _only(site: Site, client: KnownClient, values: Mapping[str, str], named: claims.Asked) -> str:
    """Return the account that alone may answer, by an earlier id_token or by name (OpenID Connect Core §3.1.2.1, §5.5.1)."""
    said = {one for one in (named.subject, values.get(ONLY, "")) if one}
    if "id_token_hint" in values:
        hint = id_tokens.read_hint(site, values["id_token_hint"])
        if hint is None or hint.client_id != client.get_client_id():
            raise InvalidRequestError("id_token_hint is none of yours")
        said.add(hint.subject)
    if len(said) > 1:
        raise InvalidRequestError("the request is for two people")
    return next(iter(said), "")


def _with_scopes(scope: str, named: claims.Asked) -> str:
    return " ".join(dict.fromkeys((*scope.split(), *named.scopes)))


def _said(values: Mapping[str, str], named: claims.Asked) -> Said:
    """Return what the id_token is to say; an `acr` in a word that was asked for where one holds, for programs compare words."""
    acrs = tuple(one for one in (*named.acrs, *values.get("acr_values", "").split()) if one in ACR_VALUES)
    return Said(nonce=values.get("nonce", ""), in_id_token=named.in_id_token, acrs=acrs)


def _max_age(text: str | None) -> timedelta | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise InvalidRequestError("max_age must be a number of seconds")
    return min(timedelta(seconds=int(text)), LONGEST_AGE)


def person(parts: Parts, actor: Actor) -> Person | None:
    """Return who is signed in; a machine's token, or a relying party's, is nobody."""
    session = session_of(parts, actor)
    if session is None or session.kind in (SessionKind.TOKEN, *OF_PROGRAMS):
        return None
    try:
        account = find_id(parts, session.account_id, parts.now()).account
    except NoSuchAccount:
        return None
    return None if session_on(parts, actor, account) is None else Person(account, session)


def has_proven(parts: Parts, someone: Person, wish: Wish) -> bool:
    """Tell whether the proofs of a browser's session are as fresh and as strong as a client asks."""
    factors = max(wish.factors, 1 if wish.is_fresh else 0)
    if not factors:
        return True
    now = parts.now()
    since = datetime.min.replace(tzinfo=UTC)
    if "login" in wish.prompt:
        since = wish.asked_at or now
    elif wish.max_age is not None:
        since = now - wish.max_age if wish.asked_at is None else min(wish.asked_at, now - wish.max_age)
    proofs = () if someone.session.kind in GIVES_NO_PROOF else someone.session.proofs
    fresh = [proof for proof in proofs if proof.at >= since and proof.at <= now]
    if "login" in wish.prompt and wish.asked_at is None:
        return False
    return assurance(someone.account, fresh, parts.rules, now) >= factors


def says_who(_: Parts, someone: Person) -> bool:
    """Tell whether a relying party may hear who somebody is: they proved it in this session."""
    return granting.says_who(someone.session)


def is_there(parts: Parts, someone: Person) -> bool:
    """Tell whether somebody proved who they are in the last 10 minutes, as far as their account can be proven at all.

    A pass or a recovery code counts from when it opened the session.
    """
    now, session = parts.now(), someone.session
    if session.kind in (SessionKind.TEMPORARY_PASS, SessionKind.RECOVERY_CODE) and now < session.created_at + STEP_UP:
        return True
    if has_proven(parts, someone, Wish(max_age=STEP_UP)):
        return True
    return strongest_way_in(someone.account, parts.rules, now) is Strength.NOTHING


def can_prove(parts: Parts, someone: Person, wish: Wish) -> bool:
    """Tell whether an account can be proven as strongly as that at all."""
    return best_assurance(someone.account, parts.rules, parts.now()) >= wish.factors


def come_back(site: Site, path: str, asked: AuthorizationRequest) -> str:
    """Return the address to come back to after a sign-in, which says when it was asked for."""
    at = str(int(site.parts.now().timestamp()))
    return f"{path}?{urlencode({**asked.values, ASKED: f'{at}.{_mark(site.parts, at, asked.values)}'})}"


def _asked_at(parts: Parts, values: Mapping[str, str]) -> datetime | None:
    """Return when a sign-in was asked for, where we said so ourselves not long ago, for this very request."""
    at, _, mark = values.get(ASKED, "").partition(".")
    if not (at.isascii() and at.isdigit() and len(at) <= 12 and mark.isascii()):
        return None
    if not hmac.compare_digest(mark, _mark(parts, at, values)):
        return None
    asked_at = datetime.fromtimestamp(int(at), UTC)
    return asked_at if timedelta(0) <= parts.now() - asked_at <= ASKED_LIFE else None


def _mark(parts: Parts, at: str, values: Mapping[str, str]) -> str:
    words = "\n".join((at, values.get("client_id", ""), values.get("code_challenge", ""), values.get("state", "")))
    return parts.vault.tag(words.encode(), purpose="oauth-asked").digest.hex()
