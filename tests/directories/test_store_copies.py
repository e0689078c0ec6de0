"""All accounts of a store in one file, and into another store: nothing twice, nothing lost, nothing from a bad file."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from passless.actions import kept_names, operators
from passless.actions.parts import Access
from passless.directories.local import age_files, copy_streams
from passless.directories.local.passphrase_files import AccountCopyDamaged
from passless.directories.local.store_copies import FORM, Ending, Kept, Line, Opening, Reader, export_accounts
from passless.directories.local.store_imports import IMPORT, AccountCame, AnotherImport, Came, StoreImport
from passless.directories.local.vault_care import NO_SEAL, rotate, with_seals
from passless.domain.changes import AccountName
from passless.domain.methods import Kind, MethodId
from passless.domain.operators import OperatorRights
from passless.domain.requests import Answer, Delete, RenameAccountTo
from passless.domain.secret import Secret
from passless.ports import StoreUnavailable, Write
from passless.stores import create_store, create_store_at
from passless.vault import KeptVault
from passless.vault.errors import WrongPassphrase
from tests.builders import NOW, a_temporary_pass, an_account
from tests.directories.person import App, Person
from tests.directories.place import MovableClock, Place, entropy_of, in_memory, served, vault_in
from tests.directories.security_key import SecurityKey
from tests.directories.sentences import refused
from tests.stores.postgres import Cluster

PASSPHRASE = Secret("seven quiet herons fold 19 maps")
MANY = 3_000


def nobody(_: int) -> None:
    """Hear how far it is, and say nothing."""


def lines_of(place: Place, reason: str = "moving house") -> list[bytes]:
    """Copy every account, as whoever can open a server's store may."""
    return list(export_accounts(place.parts, lambda _: (), reason=reason, place="host", tell=nobody))


def bring_in(place: Place, lines: list[bytes], *, dry_run: bool = False) -> tuple[list[AccountCame], StoreImport]:
    """Import lines as they come out of a file."""
    came: list[AccountCame] = []
    work = StoreImport(place.parts, came.append, reason="moving house", place="host", dry_run=dry_run)
    reader = Reader(work.take)
    for line in lines:
        reader.write(line)
    reader.finish()
    return came, work


def read_whole(lines: list[bytes]) -> None:
    """Look whether a copy is whole, as an import does first."""
    reader = Reader(lambda number, line: None)
    for line in lines:
        reader.write(line)
    reader.finish()


def outcomes(came: list[AccountCame]) -> list[tuple[str, str]]:
    return [(one.account, one.outcome.value) for one in came]


def moved(app: App, place: Place) -> App:
    """The same app, before another store."""
    return App(place, app._totp.secret, app.method)


def kept_in(lines: list[bytes]) -> list[Kept]:
    return [msgspec.json.decode(line, type=Kept) for line in lines[1:-1]]


def with_account(lines: list[bytes], number: int, **fields: Any) -> list[bytes]:
    """A copy in which somebody changed an account, and could seal it again."""
    kept = kept_in(lines)[number - 1]
    changed = replace(kept, account=replace(kept.account, **fields))
    return [*lines[:number], msgspec.json.encode(changed) + b"\n", *lines[number + 1 :]]


def a_place(folder: Path, seed: int) -> Place:
    """Make a store with an id, a vault key and ids of its own."""
    store = create_store(folder / "store.db", state=folder / "state", at=NOW, entropy=entropy_of(seed))
    vault = vault_in(folder, store.id, entropy_of(seed + 1))
    vault.create()
    return Place(store, vault, MovableClock(), entropy_of(seed + 2), folder)


def on_postgres(running: Cluster, folder: Path) -> Place:
    """Make a store in a fresh database, with a vault of its own."""
    vaults: dict[str, KeptVault] = {}

    def open_vault(store_id: str) -> KeptVault:
        if store_id not in vaults:
            vaults[store_id] = vault_in(folder, store_id, entropy_of(301))
            vaults[store_id].create()
        return vaults[store_id]

    url = running.new_database()
    store = create_store_at(url, state=folder / "state", at=NOW, entropy=entropy_of(300), open_vault=open_vault)
    place = Place(store, open_vault(store.id), MovableClock(), entropy_of(302), folder)
    place.clock.move(minutes=5)
    return place


@pytest.fixture
def old(tmp_path: Path) -> Iterator[Place]:
    """The store that is left."""
    place = a_place(tmp_path / "old", 100)
    yield place
    place.close()


@pytest.fixture
def new(tmp_path: Path) -> Iterator[Place]:
    """The store that is moved to, with a vault of its own."""
    place = a_place(tmp_path / "new", 200)
    place.clock.move(minutes=5)
    yield place
    place.close()


def three(place: Place) -> tuple[App, str]:
    """Make three people: one with an app and a recovery code, one with a key, one with a password alone."""
    ada = Person(place).create()
    app, code = ada.add_app(), ada.new_code()
    place.clock.move(minutes=1)
    bob = Person(place, "bob").create(password=None)
    bob.add_key(SecurityKey())
    Person(place, "cleo").create(email="cleo@example.org")
    return app, code


class TestMoving:
    def test_everybody_moves_with_what_signs_them_in(self, old: Place, new: Place) -> None:
        app, code = three(old)
        new.clock.now = old.clock.now
        came, work = bring_in(new, lines_of(old))
        assert outcomes(came) == [("ada", "imported"), ("bob", "imported"), ("cleo", "imported")]
        assert work.counts[Came.IMPORTED] == 3
        new.clock.move(seconds=30)
        there = Person(new)
        there.with_password()
        there.with_code(moved(app, new))
        assert Person(new).recover(code).kind == "recovery-code"

    def test_accounts_keep_their_ids_and_all_that_was_written_of_them(self, old: Place, new: Place) -> None:
        three(old)
        bring_in(new, lines_of(old))
        for stored in old.store.accounts():
            here, there = new.store.read(stored.account.id).account, stored.account
            there = there if there.finished else replace(there, created_at=new.clock.now)  # a day to be finished in, from now
            assert with_seals(here, lambda _: NO_SEAL) == with_seals(there, lambda _: NO_SEAL)

    def test_a_seed_is_sealed_anew_under_the_vault_that_it_comes_to(self, old: Place, new: Place) -> None:
        three(old)
        bring_in(new, lines_of(old))
        seals = list(new.store.seals())
        assert len(seals) == 1
        assert {sealed.key for _, sealed in seals} == {new.vault.key_id()}

    def test_what_was_used_stays_used(self, old: Place, new: Place) -> None:
        """Must hold 12: neither a code that was shown, nor a key's counter, goes back."""
        app, _ = three(old)
        new.clock.now = old.clock.now
        bob = old.store.read_named(AccountName("bob")).account
        counters = {item: use.counter for item, use in old.store.uses(bob.id).items()}
        bring_in(new, lines_of(old))
        assert {item: use.counter for item, use in new.store.uses(bob.id).items()} == counters
        assert any(counters.values())
        answer = Answer(kind=Kind.TOTP, text=moved(app, new).code)
        with refused("code-reused", "already-used"):
            Person(new).prove(answer)

    def test_sessions_passes_and_app_passwords_stay_behind(self, old: Place, new: Place) -> None:
        ada = Person(old).create()
        ada.with_password()
        ada.with_code(ada.add_app())
        ada.new_code()
        ada.turn_on_two_step()
        secret = ada.new_app_password()
        stored = old.store.read_named(AccountName("ada"))
        with_pass = replace(stored.account, temporary_pass=a_temporary_pass())
        old.store.commit(Write(at=old.clock.now, account=with_pass, expected=stored.version))
        bring_in(new, lines_of(old))
        here = new.store.read_named(AccountName("ada")).account
        assert (here.temporary_pass, here.app_passwords, new.store.sessions(here.id)) == (None, (), ())
        assert new.owner_of(secret) is None

    @pytest.mark.parametrize("is_served", [True, False])
    def test_operators_and_groups_move_between_servers(self, old: Place, new: Place, is_served: bool) -> None:
        three(old)
        ada = old.store.read_named(AccountName("ada"))
        held = replace(ada.account, groups=("sales",), operator=OperatorRights(since=NOW, over=("sales",)))
        old.store.commit(Write(at=old.clock.now, account=held, expected=ada.version))
        if is_served:
            new.change(access=Access.NOBODY)
        came, _ = bring_in(new, lines_of(old))
        here = new.store.read_named(AccountName("ada")).account
        if is_served:
            assert (here.groups, here.operator) == (held.groups, held.operator)
            assert [record.key for record in new.store.records(operators.KIND)] == [here.id]
        else:
            assert (here.groups, here.operator) == ((), None)
            assert came[0].left_out == ("the rights of an operator: an embedded store has no operators",)
            assert not list(new.store.records(operators.KIND))

    def test_no_secret_stands_in_the_trail_of_either(self, old: Place, new: Place) -> None:
        """Must hold 1 and 8."""
        three(old)
        bring_in(new, lines_of(old))
        for place in (old, new):
            text = repr([msgspec.to_builtins(event) for event in place.store.events()])
            assert not [form for form in old.forms_of_secrets() if form.decode("latin-1") in text]
        (out,) = (event for event in old.store.events() if event.event == "export-accounts")
        assert (out.actor, out.place, out.details["reason"]) == ("owner", "host", "moving house")
        into = [event for event in new.store.events() if event.event in ("import-accounts", "import-account")]
        assert [event.event for event in into].count("import-account") == 3

    def test_a_rotation_in_between_loses_no_seed(self, old: Place, new: Place, tmp_path: Path) -> None:
        app, _ = three(old)
        lines = lines_of(old)
        bring_in(new, lines)
        rotate(new.store, new.vault, new.clock)
        new.clock.move(seconds=60)
        Person(new).with_code(moved(app, new))

    def test_from_sqlite_to_postgresql_and_back(self, old: Place, new: Place, postgres: Cluster, tmp_path: Path) -> None:
        """With vault keys of their own; a key's counter and an app's seed come through both."""
        app, code = three(old)
        database = on_postgres(postgres, tmp_path / "database")
        came, _ = bring_in(database, lines_of(old))
        assert {one.outcome for one in came} == {Came.IMPORTED}
        came, _ = bring_in(database, lines_of(old))
        assert {one.outcome for one in came} == {Came.UNCHANGED}
        assert database.store.verify().intact
        back = lines_of(database)
        database.close()
        came, _ = bring_in(new, back)
        assert {one.outcome for one in came} == {Came.IMPORTED}
        new.clock.move(minutes=1)
        Person(new).with_code(moved(app, new))
        assert Person(new).recover(code).kind == "recovery-code"

    def test_a_store_in_memory_is_no_different(self, old: Place, tmp_path: Path) -> None:
        three(old)
        other = in_memory(tmp_path / "memory")
        other.clock.now = old.clock.now
        came, _ = bring_in(other, lines_of(old))
        assert {one.outcome for one in came} == {Came.IMPORTED}
        assert len(lines_of(other)) == 5

    def test_a_dry_run_says_the_same_and_keeps_nothing(self, old: Place, new: Place) -> None:
        three(old)
        Person(new, "bob").create()
        before = new.everything_kept()
        came, _ = bring_in(new, lines_of(old), dry_run=True)
        assert outcomes(came) == [("ada", "imported"), ("bob", "taken"), ("cleo", "imported")]
        assert new.everything_kept() == before


class TestAgain:
    def test_once_more_changes_nothing(self, old: Place, new: Place) -> None:
        three(old)
        lines = lines_of(old)
        bring_in(new, lines)
        versions = [stored.version for stored in new.store.accounts()]
        came, work = bring_in(new, lines)
        assert {one.outcome for one in came} == {Came.UNCHANGED}
        assert work.continued_after == 0
        assert [stored.version for stored in new.store.accounts()] == versions

    def test_what_was_changed_since_stays_as_it_is(self, old: Place, new: Place) -> None:
        three(old)
        lines = lines_of(old)
        new.clock.now = old.clock.now
        bring_in(new, lines)
        cleo = Person(new, "cleo")
        cleo.with_password()
        cleo.do(RenameAccountTo(name="cleopatra"))
        came, _ = bring_in(new, lines)
        assert outcomes(came)[-1] == ("cleo", "changed-here")
        assert new.store.read_named(AccountName("cleopatra")).account

    @pytest.mark.parametrize("kept", [0, 1, 2, 3])
    def test_an_import_that_was_cut_short_goes_on(self, old: Place, new: Place, kept: int, monkeypatch: Any) -> None:
        """Must hold 10: the disk fills up after some accounts; run again, it does only the rest."""
        three(old)
        lines = lines_of(old)
        commit, left = new.store.commit, [kept]

        def until_full(write: Write) -> Any:
            if write.account is not None:
                if left[0] == 0:
                    raise StoreUnavailable("the disk is full")
                left[0] -= 1
            return commit(write)

        with monkeypatch.context() as patch:
            patch.setattr(new.store, "commit", until_full)
            if kept < 3:
                with pytest.raises(StoreUnavailable):
                    bring_in(new, lines)
        came, work = bring_in(new, lines)
        assert work.continued_after == (kept if kept < 3 else 0)
        assert [one.account for one in came] == ["ada", "bob", "cleo"][work.continued_after :]
        events = [event.event for event in new.store.events()]
        assert events.count("import-account") == 3
        assert next(new.store.records(IMPORT), None) is None

    def test_what_was_deleted_meanwhile_does_not_come_back(self, old: Place, new: Place, monkeypatch: Any) -> None:
        three(old)
        lines = lines_of(old)
        new.clock.now = old.clock.now
        with pytest.raises(AccountCopyDamaged):
            bring_in(new, lines[:2])
        Person(new).with_password()
        ada = Person(new)
        ada.with_password()
        stored = new.store.read_named(AccountName("ada"))
        new.store.commit(Write(at=new.clock.now, account=stored.account, expected=stored.version, delete=True))
        came, _ = bring_in(new, lines)
        assert [one.account for one in came] == ["bob", "cleo"]
        assert {stored.account.name for stored in new.store.accounts()} == {"bob", "cleo"}

    def test_two_imports_of_one_copy_do_not_both_go_on(self, old: Place, new: Place) -> None:
        three(old)
        opening, ada, bob, *_ = [msgspec.json.decode(line, type=Line) for line in lines_of(old)]
        works = [StoreImport(new.parts, lambda _: None, reason="x", place="host", dry_run=False) for _ in range(2)]
        for work in works:
            work.take(0, opening)
        works[0].take(1, ada)
        with pytest.raises(AnotherImport):
            works[1].take(2, bob)
        works[0].take(2, bob)
        assert {stored.account.name for stored in new.store.accounts()} == {"ada", "bob"}


class TestBadCopies:
    def test_a_taken_name_is_one_line_and_the_rest_comes(self, old: Place, new: Place) -> None:
        three(old)
        Person(new, "BOB").create()
        came, _ = bring_in(new, lines_of(old))
        assert outcomes(came) == [("ada", "imported"), ("bob", "taken"), ("cleo", "imported")]
        assert (came[1].line, came[1].code, came[1].account_id) == (2, "name-taken", "")

    def test_a_name_that_is_kept_for_another_is_taken_and_ones_own_is_not(self, old: Place, tmp_path: Path) -> None:
        new = served(tmp_path)
        three(old)
        new.clock.now = old.clock.now
        bob = Person(new, "bob").create()
        bob.do(RenameAccountTo(name="robert"))
        lines = lines_of(old)
        new.store.commit(Write(at=NOW, puts=kept_names.left(new.parts, kept_in(lines)[0].account.id, "ada", new.clock.now)))
        for dry_run in (True, False):
            came, _ = bring_in(new, lines, dry_run=dry_run)
            assert outcomes(came) == [("ada", "imported"), ("bob", "taken"), ("cleo", "imported")]
        new.close()

    def test_an_id_that_another_account_has_is_said(self, old: Place, new: Place) -> None:
        three(old)
        lines = lines_of(old)
        ada = kept_in(lines)[0].account
        new.store.commit(Write(at=NOW, account=replace(an_account("stranger"), id=ada.id)))
        came, _ = bring_in(new, lines)
        assert [one.code for one in came] == ["id-taken", "", ""]

    def test_a_taken_address_or_key_too(self, old: Place, new: Place) -> None:
        three(old)
        Person(new, "eve").create(email="Cleo@example.org")
        lines = lines_of(old)
        bob = kept_in(lines)[1]
        stranger = an_account("stranger", methods=list(bob.account.methods))
        new.store.commit(Write(at=NOW, account=stranger))
        came, _ = bring_in(new, lines)
        assert [one.code for one in came] == ["", "already-enrolled", "name-taken"]

    def test_so_is_an_address_that_is_the_name_of_another_and_the_other_way_round(self, old: Place, new: Place) -> None:
        three(old)
        lines = with_account(lines_of(old), 1, name="eve@example.org")
        Person(new, "eve").create(email="Eve@example.org")
        Person(new, "Cleo@example.org").create()
        for dry_run in (True, False):
            came, _ = bring_in(new, lines, dry_run=dry_run)
            assert [one.code for one in came] == ["name-taken", "", "name-taken"]

    @pytest.mark.parametrize(
        "fields",
        [
            {"id": "../etc/passwd"},
            {"id": ""},
            {"user_handle": b"short"},
            {"created_at": NOW.replace(year=2100)},
            {"created_at": NOW.replace(tzinfo=None)},
            {"schema": 99},
            {"name": "bad\nname"},
            {"name": "me"},  # in an address of the interface it is whoever is signed in
            {"addresses": ("a\nb@example.org",)},
            {"addresses": ("a" * 300,)},
            {"groups": ("bad\ngroup",)},
            {"groups": tuple(str(number) for number in range(100))},
            {"operator": OperatorRights(since=NOW, over=("bad\x1bgroup",))},
        ],
    )
    def test_what_cannot_be_an_account_here_is_one_line(self, old: Place, new: Place, fields: dict[str, Any]) -> None:
        three(old)
        came, _ = bring_in(new, with_account(lines_of(old), 2, **fields))
        assert [one.outcome.value for one in came] == ["imported", "damaged", "imported"]
        assert all(one.account.isprintable() for one in came)

    @pytest.mark.parametrize("change", ["seed", "no seed", "notice", "nonsense"])
    def test_what_stands_beside_an_account_must_be_its_own(self, old: Place, new: Place, change: str) -> None:
        three(old)
        lines = lines_of(old)
        ada = kept_in(lines)[0]
        (method,) = ada.secrets
        others = old.store.notices(ada.account.id) or kept_in(lines)[0].notices
        lines[1] = {
            "seed": msgspec.json.encode(replace(ada, secrets={method: b"not base 32"})) + b"\n",
            "no seed": msgspec.json.encode(replace(ada, secrets={MethodId("another"): ada.secrets[method]})) + b"\n",
            "notice": msgspec.json.encode(replace(ada, notices=tuple(replace(one, account_id="x") for one in others))) + b"\n",
            "nonsense": b"[[[\n",
        }[change]
        came, _ = bring_in(new, lines)
        assert [one.outcome.value for one in came] == ["damaged", "imported", "imported"]

    @pytest.mark.parametrize(
        "damage",
        [
            lambda lines: lines[:-1],
            lambda lines: [*lines[:1], *lines[2:]],
            lambda lines: lines[1:],
            lambda lines: [*lines, lines[1]],
            lambda lines: [lines[0], *lines],
            lambda lines: [*lines[:-1], lines[-1][:-1]],
            lambda lines: [msgspec.json.encode(Opening(form=FORM + 1, id="a", store_id="b", exported_at=NOW)) + b"\n"],
            lambda lines: [lines[0], b"x" * 5_000_000],
            lambda lines: [],
        ],
    )
    def test_a_copy_that_is_not_whole_is_said_before_anything_is_kept(self, old: Place, damage: Any) -> None:
        three(old)
        with pytest.raises(AccountCopyDamaged):
            read_whole(damage(lines_of(old)))

    def test_an_end_that_counts_right_is_the_end(self) -> None:
        reader = Reader(lambda number, line: None)
        reader.write(msgspec.json.encode(Opening(form=FORM, id="a", store_id="b", exported_at=NOW)) + b"\n")
        reader.write(msgspec.json.encode(Ending(accounts=0)) + b"\n")
        reader.finish()


class TestStreams:
    """The file itself: sealed in chunks."""

    def sealed(self, content: list[bytes]) -> bytes:
        out = BytesIO()
        copy_streams.seal_stream(content, out, PASSPHRASE, entropy_of(3))
        return out.getvalue()

    def opened(self, blob: bytes, passphrase: Secret = PASSPHRASE) -> bytes:
        return b"".join(copy_streams.open_stream(BytesIO(blob), passphrase))

    @pytest.mark.parametrize("size", [0, 1, copy_streams.CHUNK - 1, copy_streams.CHUNK, copy_streams.CHUNK + 1, 200_000])
    def test_what_goes_in_comes_out(self, size: int) -> None:
        content = bytes(range(256)) * (size // 256) + bytes(size % 256)
        assert self.opened(self.sealed([content[:100], content[100:]])) == content

    def test_every_chunk_has_its_place(self) -> None:
        blob = self.sealed([bytes(200_000)])
        head, size = blob.index(b"\n") + 1 + 16, copy_streams.CHUNK + 16
        chunks = [blob[at : at + size] for at in range(head, len(blob), size)]
        assert len(chunks) == 4
        other = self.sealed([bytes(200_000)])[head:]
        for bad in (
            [*chunks[:-1]],
            [*chunks[1:]],
            [chunks[1], chunks[0], *chunks[2:]],
            [*chunks, chunks[-1]],
            [*chunks[:2], *chunks[3:]],
            [*chunks[:-1], chunks[-1][:-1]],
            [],
        ):
            with pytest.raises(AccountCopyDamaged):
                self.opened(blob[:head] + b"".join(bad))
        assert other  # the same entropy here: another file's chunks are told apart by the salt, see below

    def test_a_chunk_of_another_copy_does_not_fit(self) -> None:
        one = self.sealed([bytes(100)])
        out = BytesIO()
        copy_streams.seal_stream([bytes(100)], out, PASSPHRASE, entropy_of(4))
        head = one.index(b"\n") + 1 + 16
        with pytest.raises(AccountCopyDamaged):
            self.opened(one[:head] + out.getvalue()[-116:])

    def test_a_wrong_passphrase_and_a_damaged_file_are_told_apart(self) -> None:
        blob = self.sealed([b"content"])
        with pytest.raises(WrongPassphrase):
            self.opened(blob, Secret("another one entirely"))
        for at in (5, 60, len(blob) - 3):
            with pytest.raises(AccountCopyDamaged):
                self.opened(blob[:at] + bytes([blob[at] ^ 1]) + blob[at + 1 :])

    @pytest.mark.parametrize("greed", [b'"memory_kib":99999999', b'"memory_kib":65536,"x":1', b'"memory_kib":1'])
    def test_parameters_that_would_keep_the_machine_busy_are_refused(self, greed: bytes) -> None:
        blob = self.sealed([b"content"]).replace(b'"memory_kib":65536', greed, 1)
        with pytest.raises(AccountCopyDamaged):
            self.opened(blob)

    def test_thousands_of_accounts_pass_through_little_memory(self) -> None:
        """The chunks are written as they fill up, and read one by one."""
        seen: list[int] = []
        out = BytesIO()

        def content() -> Iterator[bytes]:
            for _ in range(MANY):
                seen.append(out.tell())
                yield bytes(1_000)

        copy_streams.seal_stream(content(), out, PASSPHRASE, entropy_of(3))
        behind = [number * 1_000 - written for number, written in enumerate(seen)]
        assert max(behind) < 3 * copy_streams.CHUNK
        assert max(len(piece) for piece in copy_streams.open_stream(BytesIO(out.getvalue()), PASSPHRASE)) == copy_streams.CHUNK


class TestAge:
    def test_an_age_file_is_a_stream_too(self, old: Place, new: Place) -> None:
        pyrage = pytest.importorskip("pyrage")
        identity = pyrage.x25519.Identity.generate()
        three(old)
        out, came = BytesIO(), list[AccountCame]()
        age_files.seal_stream_for([str(identity.to_public())], iter(lines_of(old)), out)
        work = StoreImport(new.parts, came.append, reason="x", place="host", dry_run=False)
        reader = Reader(work.take)
        age_files.unseal_stream_with(Secret(str(identity)), BytesIO(out.getvalue()), reader)
        reader.finish()
        assert len(came) == 3
        with pytest.raises(age_files.FileDamaged):
            age_files.unseal_stream_with(Secret(str(identity)), BytesIO(out.getvalue()[:-9]), Reader(lambda *_: None))
        stranger = Secret(str(pyrage.x25519.Identity.generate()))
        with pytest.raises(age_files.WrongIdentity):
            age_files.unseal_stream_with(stranger, BytesIO(out.getvalue()), Reader(lambda *_: None))

    def test_what_goes_wrong_meanwhile_is_told_as_what_it_is(self) -> None:
        pyrage = pytest.importorskip("pyrage")
        identity = pyrage.x25519.Identity.generate()

        def content() -> Iterator[bytes]:
            yield b"one"
            raise StoreUnavailable("the store is busy")

        with pytest.raises(StoreUnavailable):
            age_files.seal_stream_for([str(identity.to_public())], content(), BytesIO())
        out = BytesIO()
        age_files.seal_stream_for([str(identity.to_public())], [b"{}\n"], out)
        with pytest.raises(AccountCopyDamaged):
            age_files.unseal_stream_with(Secret(str(identity)), BytesIO(out.getvalue()), Reader(lambda *_: None))


def test_deleting_and_importing_again_is_said_to_bring_back(old: Place, new: Place) -> None:
    """A finished import that is run once more means it: what was deleted since comes again."""
    three(old)
    lines = lines_of(old)
    new.clock.now = old.clock.now
    bring_in(new, lines)
    cleo = Person(new, "cleo")
    cleo.with_password()
    cleo.do(Delete())
    came, _ = bring_in(new, lines)
    assert outcomes(came)[-1] == ("cleo", "imported")
