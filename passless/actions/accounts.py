"""Finding accounts, and making one."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from passless.actions import kept_names
from passless.actions.catching_up import CaughtUp, catch_up, ended_for_good
from passless.actions.parts import Access, Parts
from passless.actions.throttle import source_of
from passless.actions.who import place_of, token_hash
from passless.domain import names, reserved_names
from passless.domain.account import Account, AccountId, Version
from passless.domain.audit import AuditEntry, Outcome
from passless.domain.changes import AccountName
from passless.domain.errors import WrongUse
from passless.domain.methods import MEMORY, MethodId, Password, Strength
from passless.domain.requests import NewAccount
from passless.domain.sealed import Tag
from passless.domain.secret import Secret
from passless.domain.sessions import SESSION_LIFE, Proof, Session, SessionId, SessionKind
from passless.ports import NameTaken, NoSuchAccount, Record, Stored, StoredAppPassword, VersionMoved, Write
from passless.ports.directory import Actor

MAKE_ONE = "there is none yet; make one: passless account create NAME"
USER_HANDLE_SIZE = 32  # bytes, random (WebAuthn L3 §14.6.1)
ADDRESS_LENGTH = 254  # characters (RFC 5321 §4.5.3.1.3, less the angle brackets)


class BadAddress(WrongUse):
    """Not an e-mail address."""

    code = "bad-address"
    hint = "write it as name@example.com"


class Found(Struct, frozen=True):
    """An account as it is now, the version that is stored, and what time alone did to it."""

    account: Account
    stored: Account
    version: Version
    caught_up: CaughtUp


class Made(Struct, frozen=True, kw_only=True):
    """A new account and the session that made it."""

    account: Account
    session: Session
    token: Secret


def stored(parts: Parts, target: str) -> Stored:
    """Read an account by its name or id; `NoSuchAccount` where there is none."""
    try:
        return parts.store.read_named(AccountName(names.key(target)))
    except NoSuchAccount:
        pass
    try:
        return parts.store.read(AccountId(target))
    except NoSuchAccount as error:
        where = f' in the profile "{parts.profile}"' if parts.access is Access.OWNER else ""  # a server's is for its host alone
        message = f'there is no account "{names.printable(target)}"{where}'
        is_empty = parts.looks_in and next(parts.store.accounts(), None) is None
        raise NoSuchAccount(message, hint=MAKE_ONE if is_empty else NoSuchAccount.hint) from error


def find(parts: Parts, target: str, now: datetime) -> Found:
    """Read an account as it is now, by its name or id."""
    return _found(parts, stored(parts, target), now)


def find_id(parts: Parts, account_id: str, now: datetime) -> Found:
    """Read an account as it is now, by the id that we keep; no name can stand for it."""
    return _found(parts, parts.store.read(AccountId(account_id)), now)


def find_credential(parts: Parts, credential_id: bytes, now: datetime) -> Found:
    """Read an account as it is now, by one of its keys or passkeys."""
    return _found(parts, parts.store.read_by_credential(credential_id), now)


def find_app_password(parts: Parts, tags: Iterable[Tag], now: datetime) -> tuple[Account, StoredAppPassword] | None:
    """Read an account as it is now, by one of its app passwords, and which one that is; None where it is nobody's."""
    read = parts.store.read_by_app_password(tags)
    return None if read is None else (_found(parts, read.stored, now).account, read)


def _found(parts: Parts, read: Stored, now: datetime) -> Found:
    caught_up = catch_up(read.account, parts.rules, now)
    if not caught_up.deleted:
        return Found(caught_up.account, read.account, read.version, caught_up)
    gone = Write(
        at=now,
        account=read.account,
        expected=read.version,
        delete=True,
        ended=tuple(ended_for_good(read.account, caught_up.account, deleted=True)),
        events=caught_up.events,
        puts=kept_names.of_the_gone(parts, read.account, now),
    )
    try:
        parts.store.commit(gone)
    except VersionMoved:
        return find_id(parts, read.account.id, now)
    raise NoSuchAccount(f'the account "{read.account.name}" was deleted')


class Admission(Struct, frozen=True, kw_only=True):
    """On which ground an account is made: the invitation that is used up with it, the groups it brings, and what to note."""

    groups: tuple[str, ...] = ()
    name: str = ""  # that whoever invited them gave; without it people choose themselves
    by_all: bool = False  # whoever invited them answers for everybody, and so for whose mailbox and which host's user it names
    address: str = ""  # that whoever invited them gave; it stands for the name
    drops: tuple[Record, ...] = ()
    notes: dict[str, str] = {}
    invited_by: tuple[str, ...] = ()


ANYBODY = Admission()


def make(parts: Parts, actor: Actor, new: NewAccount, admission: Admission = ANYBODY) -> Made:
    """Make an account and sign it in; the making counts as one factor (rule 8).

    Raises:
        BadName, BadAddress, WeakPassword: what was typed cannot be used; on a server nobody gives themselves a name with "@".
        NameTaken: another account has the name or an address that would stand for this one, as its name or its address.
    """
    from passless.credentials.random_codes import new_token

    now, place = parts.now(), place_of(actor)
    account = _new_account(parts, new, now, admission, source_of(actor.place))
    token = new_token(parts.entropy)
    session = Session(
        id=SessionId(parts.new_id()),
        account_id=account.id,
        token_hash=token_hash(token),
        kind=SessionKind.DIRECT,
        created_at=now,
        seen_at=now,
        expires_at=now + SESSION_LIFE,
        place=place,
        proofs=(Proof(kind=None, at=now),),
        in_browser=bool(actor.visit),
    )
    entry = AuditEntry(
        at=now,
        actor=account.name,
        event="create-account",
        outcome=Outcome.DONE,
        account_id=account.id,
        account=account.name,
        place=place,
        details={"passwordless": "yes" if account.passwordless else "no"} | admission.notes,
    )
    taken = kept_names.taken(parts, account.id, (account.name, *account.address_names), now)
    parts.store.commit(Write(at=now, account=account, opens=session, events=(entry,), puts=taken, drops=admission.drops))
    return Made(account=account, session=session, token=token)


def _new_account(parts: Parts, new: NewAccount, now: datetime, admission: Admission, source: str) -> Account:
    wanted = names.clean_account(new.name)
    is_given = is_answerable(parts) or (admission.by_all and names.are_same(wanted, admission.name))
    if not is_given:
        reserved_names.check_chosen(wanted)
    name = free_name(parts, wanted, is_given=is_given)
    shown = names.clean(new.display_name, what="display name") if new.display_name else ""
    addresses, standing = _addresses(parts, new, admission)
    methods: tuple[Password, ...] = ()
    if new.password is not None:
        words = (name, shown, *addresses)
        methods = (new_password(parts, new.password, stands_alone=True, words=words, whose=source, now=now),)
    return Account(
        id=AccountId(parts.new_id()),
        name=name,
        created_at=now,
        user_handle=parts.entropy(USER_HANDLE_SIZE),
        display_name=shown,
        addresses=addresses,
        address_names=standing,
        methods=methods,
        finished=bool(methods),
        groups=admission.groups,
        invited_by=admission.invited_by,
    )


def free_name(parts: Parts, wanted: str, *, own: AccountId | None = None, is_given: bool = False) -> AccountName:
    """Return a name for an account; never what people may type in the place of another: its id, its address, or a kept name.

    An account whose time is over lets its name go here, though nobody has looked at it since. `own`: whose name it is to be,
    who may take back what is kept for them. `is_given`: somebody who answers for it gives it, also after a deleted account.
    """
    name, now = names.clean_account(wanted), parts.now()
    with suppress(NoSuchAccount):
        _found(parts, parts.store.read_named(AccountName(names.key(name))), now)
    check_not_kept(parts, name, own, is_given=is_given)
    check_no_ones_address(parts, name, own)
    try:
        find_id(parts, name, now)
    except NoSuchAccount:
        return AccountName(name)
    raise NameTaken(f'"{name}" is the id of another account')


def check_not_kept(parts: Parts, name: str, own: AccountId | None = None, *, is_given: bool = False) -> None:
    """Refuse a name that is kept for another account, in the same words as one that another account has."""
    if _is_kept(parts, name, own) or (not is_given and kept_names.is_of_the_gone(parts, name)):
        raise NameTaken(f'there is an account named "{name}" already')


def check_no_ones_address(parts: Parts, name: str, own: AccountId | None = None) -> None:
    """Refuse a name that is an address which stands for another account, in the same words."""
    if "@" not in name:
        return
    if owner_of_address(parts, name, parts.now()) not in (None, own):
        raise NameTaken(f'there is an account named "{name}" already')


def check_address_is_free(parts: Parts, address: str, own: AccountId | None = None) -> None:
    """Refuse an address that would stand for an account where it stands for another, is its name, or is kept for it."""
    now = parts.now()
    owners = {owner_of_address(parts, address, now)}
    with suppress(NoSuchAccount):
        owners.add(_found(parts, parts.store.read_named(AccountName(names.key(address))), now).account.id)
    if owners - {None, own} or _is_kept(parts, address, own):
        raise NameTaken(f'the address "{address}" stands for another account already')


def _is_kept(parts: Parts, name: str, own: AccountId | None) -> bool:
    now = parts.now()
    holder = kept_names.holder(parts, name, now)
    if holder is None or holder == own:
        return False
    with suppress(NoSuchAccount):
        find_id(parts, holder, now)
        return True
    return False


def new_password(
    parts: Parts, password: Secret, *, stands_alone: bool, words: tuple[str, ...], whose: str, now: datetime
) -> Password:
    """Check a new password and make the method of it, one at a time for each account or source that it is of.

    Raises:
        WeakPassword: with all that is wrong.
        TooManyPasswords: there are too many at once.
    """
    from passless.credentials import passwords

    with passwords.one_at_a_time(whose):
        known = [word for word in words if word]
        passwords.check_new_password(password, stands_alone=stands_alone, context_words=known)
        return replace(blank_password(parts, password, now=now), hash=passwords.hash_password(password, parts.entropy))


def blank_password(parts: Parts, password: Secret, *, now: datetime) -> Password:
    """Return the method of a new password that is neither checked nor hashed: to plan with."""
    from passless.credentials import passwords

    return Password(
        id=MethodId(parts.new_id()),
        name="password",
        device=MEMORY,
        added_at=now,
        added_with=Strength.ONE_FACTOR,
        hash="",
        stands_alone=passwords.stands_alone(password),
    )


def _addresses(parts: Parts, new: NewAccount, admission: Admission) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the addresses of a new account, and which of them stand for its name.

    Those do that somebody answerable gave: who owns the store, works on its host, or invited the person. What a stranger writes
    is a note for getting in touch. It may be anybody's, so nothing is looked up by it, and nothing says who has it already.
    """
    typed: tuple[str, ...] = (clean_address(new.email),) if new.email else ()
    given = typed if is_answerable(parts) else ()
    if admission.address:
        given = (admission.address,)
        typed = (*given, *(one for one in typed if not names.are_same(one, admission.address)))
    for address in given:
        check_address_is_free(parts, address)
    return typed, given


def is_answerable(parts: Parts) -> bool:
    """Tell whether whoever asks answers for what they say of people: who owns a store, and who works on a server's host."""
    return parts.access is Access.OWNER or parts.on_host


def owner_of_address(parts: Parts, address: str, now: datetime) -> AccountId | None:
    """Find the account that an address stands for; one whose time is over lets go of its address here."""
    owner = parts.store.owner_of_address(address)
    if owner is None:
        return None
    with suppress(NoSuchAccount):
        return find_id(parts, owner, now).account.id
    return None


def stand_for(parts: Parts, account: Account) -> tuple[str, ...]:
    """Return what stands for an account beside its id: its name, and addresses that somebody answerable gave."""
    return (account.name, *(account.addresses if parts.access is Access.OWNER else account.address_names))


def clean_address(text: str) -> str:
    """Return an e-mail address without space around it; `BadAddress` for what is none."""
    address = text.strip()
    name, at, host = address.rpartition("@")
    shows = all(character.isprintable() and not character.isspace() for character in address)
    if not (name and at and "." in host.strip(".") and shows) or len(address) > ADDRESS_LENGTH:
        raise BadAddress(f'"{names.printable(text)}" is not an e-mail address')
    return address
