"""Operators: accounts that may help others, over the accounts of some groups or over all, and what they may ask."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from passless.domain import names, requests

MAXIMUM_GROUPS = 64  # of one account, or over which one is an operator; a bound on one document
GROUP_SIGNS = "-_.:/"  # in a group's name beside letters and digits: no space or comma, at which lists are taken apart
LONGEST_LINE = 64  # accounts that are known of who made another, and who made those; a bound on one document


class OperatorRights(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Over which groups an account is an operator; over all where none is named.

    `granted_by`: the id of who granted it, then of who made that one an operator or invited them, and so on; empty where it was
    done on the server's host.
    """

    since: datetime
    over: tuple[str, ...] = ()
    granted_by: tuple[str, ...] = ()

    @property
    def item(self) -> str:
        """What they are called among what ended for good; every grant makes new ones."""
        return f"rights/{self.since.isoformat()}"

    def reaches(self, groups: Iterable[str]) -> bool:
        """Tell whether an account in these groups is among those the operator is over."""
        return not self.over or bool(_keys(self.over) & _keys(groups))

    def covers(self, over: Iterable[str]) -> bool:
        """Tell whether rights over these groups, all where none is named, are no more than these."""
        return not self.over or (bool(wanted := _keys(over)) and wanted <= _keys(self.over))

    def is_above(self, groups: Iterable[str], theirs: OperatorRights | None) -> bool:
        """Tell whether an account in these groups, with these rights, may do less than the operator (must hold 9)."""
        if not self.reaches(groups):
            return False
        return theirs is None or (self.covers(theirs.over) and not theirs.covers(self.over))


class Asker(StrEnum):
    """Who may ask for something."""

    PERSON = "the person alone"
    EITHER = "the person, and an operator for them"
    OPERATOR = "an operator alone"


MAY_ASK: Mapping[type[Struct], Asker] = {
    requests.RenameMethodTo: Asker.PERSON,
    requests.MakeDefault: Asker.PERSON,
    requests.RemoveMethodNamed: Asker.PERSON,
    requests.SetPassword: Asker.PERSON,
    requests.PasswordlessOn: Asker.PERSON,
    requests.TwoStepOn: Asker.PERSON,
    requests.TwoStepOff: Asker.PERSON,
    requests.NewAppPassword: Asker.PERSON,
    requests.RevokeAppPasswordsNamed: Asker.EITHER,
    requests.NewRecoveryCode: Asker.PERSON,
    requests.ConfirmCode: Asker.PERSON,
    requests.ReportLostDevice: Asker.EITHER,
    requests.ReportNotMe: Asker.EITHER,
    requests.TakeBackReport: Asker.PERSON,
    requests.IssuePass: Asker.OPERATOR,
    requests.RevokePass: Asker.EITHER,
    requests.StartRecoveryOf: Asker.OPERATOR,
    requests.EndRecovery: Asker.PERSON,
    requests.StopRecovery: Asker.PERSON,
    requests.CancelWaiting: Asker.EITHER,
    requests.RenameAccountTo: Asker.EITHER,
    requests.Delete: Asker.PERSON,
    requests.EndSessions: Asker.EITHER,
    requests.NewToken: Asker.PERSON,
    requests.RevokeToken: Asker.EITHER,
    requests.GrantOperator: Asker.OPERATOR,
    requests.RevokeOperator: Asker.OPERATOR,
    requests.SetGroups: Asker.OPERATOR,
    requests.ApproveRecovery: Asker.OPERATOR,
}  # every member of `Request`; a test holds this table against what is done


def may_ask(request: requests.Request) -> bool:
    """Tell whether an operator may ask for it on an account below them; what nobody thought of is the person's alone."""
    return MAY_ASK.get(type(request), Asker.PERSON) is not Asker.PERSON


def clean_groups(groups: Iterable[str]) -> tuple[str, ...]:
    """Return the names of groups in their normal form, each once, in the order they came.

    Raises:
        BadName: one cannot be the name of a group, or there are too many.
    """
    kept: dict[str, str] = {}
    for group in groups:
        name = names.clean(group, what="group's name")
        if not all(character.isalnum() or character in GROUP_SIGNS for character in name):
            raise names.BadName(
                f'"{name}" cannot be the name of a group', hint=f"use letters, digits and {' '.join(GROUP_SIGNS)}"
            )
        kept.setdefault(names.key(name), name)
        if len(kept) > MAXIMUM_GROUPS:
            raise names.BadName(f"there are too many groups: at most {MAXIMUM_GROUPS}", hint="name fewer")
    return tuple(kept.values())


def difference(before: Iterable[str], after: Iterable[str]) -> frozenset[str]:
    """Return the groups, in the form that is compared, that one has and the other has not."""
    return _keys(before) ^ _keys(after)


def line(*ids: str) -> tuple[str, ...]:
    """Return ids of accounts, the nearest first, each once, and no more than are kept."""
    return tuple(dict.fromkeys(ids))[:LONGEST_LINE]


def _keys(groups: Iterable[str]) -> frozenset[str]:
    return frozenset(names.key(group) for group in groups)
