"""Services that an app password may be limited to: those of mail and calendar servers, and of the relying parties here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice

from passless.actions.parts import Parts
from passless.actions.request_errors import BadService
from passless.domain import names
from passless.domain.app_passwords import SERVICES
from passless.domain.requests import NewAppPassword

LONGEST = 32  # characters
MOST_NAMED = 20  # services of relying parties that a hint names


def chosen(parts: Parts, request: NewAppPassword) -> tuple[str, ...]:
    """Return the services as they are kept, each once; `BadService` where one cannot be, or is not known and should be."""
    _check_known(parts, [_cleaned(one) for one in request.known])
    return tuple(dict.fromkeys(_cleaned(one) for one in request.services))


def of_relying_parties(parts: Parts) -> tuple[str, ...]:
    """Return the services of the relying parties here that are none of a mail or calendar server's."""
    from passless.actions import relying_parties

    return tuple(sorted({one.lower() for client in relying_parties.clients(parts) for one in client.services} - {*SERVICES}))


def _check_known(parts: Parts, asked: Iterable[str]) -> None:
    unknown = [one for one in asked if one not in SERVICES]
    if not unknown:
        return
    here = of_relying_parties(parts)
    for one in unknown:
        if one not in here:
            raise BadService(f'no service "{names.printable(one)}" is known', hint=_near(one, here))


def _near(word: str, here: Sequence[str]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(word, (*here, *SERVICES), n=2)
    meant = f"did you mean {' or '.join(near)}? " if near else ""
    named = ", ".join((*islice(here, MOST_NAMED), *SERVICES))
    return f"{meant}known are {named}; another one that your server has: --for-other NAME"


def _cleaned(words: str) -> str:
    service = words.strip().lower()
    if not service or len(service) > LONGEST or not all(one.isascii() and (one.isalnum() or one in "-_") for one in service):
        raise BadService(f'"{names.printable(words)}" cannot be the name of a service')
    return service
