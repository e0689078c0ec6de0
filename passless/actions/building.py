"""From a request to a change, with what takes long left for last: who lacks the proof for it has nothing scored or hashed.

Scoring a new password and hashing it, or a pass, take a thousand times as long as planning the change. So the change is planned
with a secret that is not made yet; where the rules refuse it that is all, and whoever carries it out comes to the same refusal.
"""

from __future__ import annotations

from datetime import datetime

from passless.actions import requesting
from passless.actions.changing import preview
from passless.actions.parts import Parts
from passless.actions.requesting import Built
from passless.actions.who import Who
from passless.domain.refused import ABOUT_PROOFS
from passless.domain.requests import IssuePass, Request, SetPassword, StartRecoveryOf, TwoStepOff
from passless.domain.secret import Secret

TAKE_LONG = (SetPassword, TwoStepOff, IssuePass, StartRecoveryOf)


def build(parts: Parts, who: Who, request: Request, now: datetime, *, dry: bool = False) -> Built:
    """Turn a request into changes of the account as it is now; `dry` makes no secret that needs the vault or time to hash.

    Raises:
        WeakPassword: the new password is easily guessed, which is looked at only where the rules refuse nothing.
        TooManyPasswords: there are too many at once, of everybody or of this account.
    """
    if not isinstance(request, TAKE_LONG):
        return requesting.build(parts, who, request, now, dry=dry)
    blank = requesting.build(parts, who, request, now, dry=True)
    refusals = preview(parts, who, blank.wanted, now).refusals
    if not refusals and not dry:
        return requesting.build(parts, who, request, now)
    is_proven = all(problem.code not in ABOUT_PROOFS for problem in refusals)
    if isinstance(request, SetPassword | TwoStepOff) and request.password is not None and (dry or is_proven):
        alone = isinstance(request, TwoStepOff) or not who.account.two_step
        _check(who, request.password, alone=alone, scored=not refusals)
    return blank


def _check(who: Who, password: Secret, *, alone: bool, scored: bool) -> None:
    from passless.credentials import passwords

    words = [word for word in requesting.words(who) if word]
    with passwords.one_at_a_time(who.account.id):
        passwords.check_new_password(password, stands_alone=alone, context_words=words, scored=scored)
