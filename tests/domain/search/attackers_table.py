"""The table in docs/security.md: what a thief of one thing reaches before the wait is over."""

from __future__ import annotations

from collections.abc import Iterator

from passless.domain.account import Account
from passless.domain.methods import PHONE, DeviceName
from tests.domain.search.attackers import Reach, Theft, is_one_factor, is_sound, reach, thefts
from tests.domain.search.every_theft import is_a_tie
from tests.domain.search.model import KEY, OLD, Slot, a_code, a_method, a_password, an_account, canonical
from tests.domain.search.sides import holds_something_old

PAGE = "docs/security.md"
COMMAND = f"python -m tests.domain.search --write {PAGE}"
TOTP, SMS = Slot("totp", PHONE), Slot("sms", PHONE)
PLAIN, VERIFIED = Slot("key", KEY), Slot("key-uv", DeviceName("spare"))
# short names for the table: the account's methods, whether two-step is on, whether a recovery code is saved
KINDS = (
    ("password", (), False, False),
    ("password, SMS", (SMS,), False, False),
    ("password, app", (TOTP,), False, False),
    ("password, app, code", (TOTP,), False, True),
    ("password, app, code; two-step", (TOTP,), True, True),
    ("password, key", (PLAIN,), False, False),
    ("password, app, key; two-step", (TOTP, PLAIN), True, False),
    ("password, key with PIN", (VERIFIED,), False, False),
    ("app, code; passwordless", (TOTP,), False, True),
    ("app, key; passwordless", (TOTP, PLAIN), False, False),
    ("key, key with PIN; passwordless", (PLAIN, VERIFIED), False, False),
)
BEGIN, END = f"<!-- attackers: made by `{COMMAND}` -->\n", "<!-- /attackers -->"
HEAD = """## What a thief of one thing can reach

An owner has had an account for longer than the wait. A thief gets hold of one thing: the phone's number (SMS), the phone
(app, SMS, and the mail it reads), a key without PIN, the password, or a session of the owner: stale, fresh from a proof, or
given to a device whose code the owner was talked into typing. The thief then does everything the rules accept, in any
order, before the wait is over, and the owner notices nothing. This table is what a search over all of that found; the
rules are in passless/domain/safety.

- **signs in**: with what was stolen, or with what was added by it. **adds**: a method of the thief's own. **removes**: a
  method of the owner's, at once and for good (a report can be taken back). **two-step**, **passwordless**: turns it on at once.
- **owner out**: the owner can get in neither by signing in nor with the code until a report is taken back.
  **alone**: not even then.
- **noticed**: does the thief end up alone when the owner first ends the sessions and reports the device (or replaces the
  password), and later takes back every report they can? `-` where the owner cannot get in to do it.

A thief of two factors is the owner as far as any rule can tell: *two factors*. *Nothing else* says that besides what
the thief can prove the owner has no old method (SMS and e-mail aside) and no code; *tie* that each holds one thing of
equal worth and there is neither a password nor a recovery code, so that who reports first keeps the account. A recovery
code on paper breaks both.

"""


def written_into(page: str) -> str:
    """Return a page with its section made anew."""
    before, _, rest = page.partition(BEGIN)
    return before + BEGIN + section() + END + rest.partition(END)[2]


def section() -> str:
    """Return the section of the page."""
    rows = "".join(rows_of_the_table())
    titles = ("account", "stolen", "signs in", "adds", "removes", "two-step", "passwordless", "owner out", "alone", "noticed")
    head = f"| {' | '.join(titles)} |\n|{' --- |' * len(titles)}\n"
    return f"{HEAD}{head}{rows}\nMade by `{COMMAND}`; a test makes it again.\n\n"


def rows_of_the_table() -> Iterator[str]:
    """Yield a line for each theft from each kind of account."""
    for name, slots, two_step, saved in KINDS:
        account = _account("password" in name.split(";")[0].split(", "), slots, two_step=two_step, saved=saved)
        for theft in thefts(account):
            yield _row(name, account, theft)


def _account(password: bool, slots: tuple[Slot, ...], *, two_step: bool, saved: bool) -> Account:
    methods = [a_method(slot, added_at=OLD) for slot in slots]
    if password:
        methods.append(a_password(added_at=OLD))
    codes = (a_code("code", created_at=OLD, saved=True),) if saved else ()
    account = an_account(*methods, made=OLD, finished=True, two_step=two_step, recovery_codes=codes)
    assert is_sound(account)
    return canonical(account)


def _row(name: str, account: Account, theft: Theft) -> str:
    if not is_one_factor(account, theft.thief):
        return f"| {name} | {theft.what} | *two factors* | | | | | | | |\n"
    found = reach(account, theft)
    assert found is not None
    aware = reach(account, theft, reacts=True)
    cells = (
        *map(_yes, (found.signs_in, found.adds, found.removes, found.two_step, found.passwordless, found.locks_out)),
        _alone(found, account, theft),
        "-" if aware is None else _alone(aware, account, theft),
    )
    return f"| {name} | {theft.what} | {' | '.join(cells)} |\n"


def _yes(answer: bool) -> str:
    return "yes" if answer else "no"


def _alone(found: Reach, account: Account, theft: Theft) -> str:
    if not found.alone:
        return "no"
    if not holds_something_old(account, theft.owner, theft.thief):
        return "*nothing else*"
    return "*tie*" if is_a_tie(account, theft) else "**yes**"
