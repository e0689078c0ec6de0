"""What a mail server is answered on its socket."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest

from passless.actions import mailboxes, relying_parties
from passless.actions.parts import Access
from passless.actions.throttle import FREE_ATTEMPTS
from passless.directories.local import LocalDirectory
from passless.domain.relying_parties import NewRelyingParty
from passless.ports import StoreUnavailable
from passless.ports.directory import Actor
from passless.server.site import Site
from passless.server.sockets.dict_protocol import LogIn, WhoIs
from passless.server.sockets.mail_answers import LOOKED_AT_EVERY, Asking, answer
from tests.builders import an_account
from tests.directories.person import Person
from tests.directories.place import Place, in_memory

NOBODY = b"N\n"


class Mail:
    """A server with a mail server that asks it, and ada with an app password."""

    def __init__(self, place: Place, *services: str) -> None:
        self.place = place
        ada = Person(place).create(email="ada@example.org")
        ada.add_app()
        ada.new_code()
        ada.turn_on_two_step()
        ada.with_password()
        self.ada = ada
        self.secret = ada.new_app_password()
        new = NewRelyingParty(name="mail", kind="dovecot", services=services)
        self.id = relying_parties.add(place.parts, Actor(), new).id
        place.change(access=Access.NOBODY)
        self.site = Site(directory=LocalDirectory(place.parts), url="https://passless.example")
        found = relying_parties.find(place.parts, self.id)
        assert found is not None
        self.asking = Asking(self.site, found[0])

    def signs_in(self, user: str = "ada@example.org", *, service: str = "imap", plain: bool = False, secret: str = "") -> bytes:
        digest = sha256((secret or self.secret).encode()).digest()
        return answer(self.site, self.asking, LogIn(service, digest, "192.0.2.1", user, plain))

    def is_there(self, user: str, *, plain: bool = False) -> bytes:
        return answer(self.site, self.asking, WhoIs(user, plain))


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return in_memory(tmp_path)


def test_the_answer_names_the_account_whatever_was_typed(place: Place) -> None:
    mail = Mail(place)
    for user in ("ada", "ADA", "Ada@Example.org"):
        assert mail.signs_in(user) == b'O{"user":"ada","nopassword":"y","userdb_user":"ada"}\n'
        assert mail.is_there(user) == b'O{"user":"ada"}\n'
        assert mail.signs_in(user, plain=True) == mail.is_there(user, plain=True) == b"Oada\n"
    for user in ("eve", "", "eve@example.org", "a" * 1000):
        assert mail.signs_in(user) == mail.is_there(user) == NOBODY


def test_a_relying_party_asks_about_its_own_services_alone(place: Place) -> None:
    mail = Mail(place, "imap")
    assert mail.signs_in(service="imap") != NOBODY
    assert mail.signs_in(service="pop3") == NOBODY


def test_after_it_was_removed_it_is_later_and_never_a_no(place: Place) -> None:
    mail = Mail(place)
    assert mail.signs_in().startswith(b"O")
    place.change(access=Access.OWNER)
    relying_parties.remove(place.parts, Actor(), mail.id)
    place.clock.move(seconds=LOOKED_AT_EVERY.total_seconds())
    assert mail.signs_in().startswith(b"F")
    assert mail.is_there("eve").startswith(b"F")


def test_one_that_is_added_anew_under_its_name_is_answered_in_its_place(place: Place) -> None:
    mail = Mail(place)
    place.change(access=Access.OWNER)
    relying_parties.remove(place.parts, Actor(), mail.id)
    relying_parties.add(place.parts, Actor(), NewRelyingParty(name="mail", kind="http"))
    place.clock.move(seconds=LOOKED_AT_EVERY.total_seconds())
    assert mail.signs_in().startswith(b"F"), "another kind is another thing"
    relying_parties.remove(place.parts, Actor(), "mail")
    relying_parties.add(place.parts, Actor(), NewRelyingParty(name="Mail", kind="dovecot", services=("imap",)))
    place.clock.move(seconds=LOOKED_AT_EVERY.total_seconds())
    assert mail.signs_in(service="imap").startswith(b"O")
    assert mail.signs_in(service="pop3") == NOBODY, "what it is registered with now counts"


def test_a_store_that_does_not_answer_is_later_and_never_a_no(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    mail = Mail(place)
    mail.signs_in()

    def busy(*_: object) -> None:
        raise StoreUnavailable("the store is busy")

    for name in ("read_by_app_password", "owner_of_address", "read_named"):
        monkeypatch.setattr(place.store, name, busy)
    for said in (mail.signs_in("ada"), mail.is_there("ada"), mail.is_there("ada@example.org")):
        assert said.startswith(b"F")


def test_who_has_to_wait_is_told_so_and_never_that_a_right_one_is_wrong(place: Place) -> None:
    """Behind a webmail server everybody is one source: who guesses there makes no mail program forget what is right."""
    mail = Mail(place)
    for number in range(FREE_ATTEMPTS):
        assert mail.signs_in(secret=f"wrong {number}") == NOBODY
    long = mail.secret
    short = mail.ada.new_app_password("Scanner", short=True)
    for secret in (short, "wrong again"):
        assert mail.signs_in(secret=secret).startswith(b"F")
    assert mail.signs_in(secret=long).startswith(b"O")


@pytest.mark.parametrize("name", ["ada", "ada.b-c_d+e@example.org", "żółw", "1234"])
def test_a_plain_name_is_a_mailbox(name: str) -> None:
    assert mailboxes.mailbox_of(an_account(name=name)) == name


@pytest.mark.parametrize(
    "name", ["../ada", "a/b", ".ada", "-f", "a:INBOX=x", "a b", "a%u", "*", "a?", "10.0.0.1", "::1", "a\\b", "a~b"]
)
def test_a_name_that_means_something_in_paths_or_commands_is_none(name: str) -> None:
    assert mailboxes.mailbox_of(an_account(name=name)) is None
