"""Adding, naming and removing sign-in methods."""

from __future__ import annotations

import pytest

from passless.domain.methods import Kind
from passless.domain.requests import Answer, Enrol, MakeDefault, NewAccount, RemoveMethodNamed, RenameMethodTo
from passless.domain.secret import Secret
from passless.domain.views import Applied
from passless.ports.directory import Actor
from tests.directories.person import Person, key_answer
from tests.directories.place import Place
from tests.directories.security_key import SecurityKey
from tests.directories.sentences import refused


class MethodSentences:
    """How methods come, what they are called, and how they go."""

    def test_an_app_is_added_with_one_code(self, place: Place) -> None:
        ada = Person(place).create(password=None)
        begun = place.directory.begin(ada.actor, "ada", Enrol(kind=Kind.TOTP, name="Aegis", device="old phone"))
        assert begun.otpauth_uri is not None
        assert begun.otpauth_uri.reveal().startswith("otpauth://totp/passless:ada?secret=")
        app = ada.app_of(begun)
        with refused("wrong-code"):
            ada.finish(begun.ceremony, Answer(kind=Kind.TOTP, text=app.wrong))
        assert isinstance(ada.finish(begun.ceremony, Answer(kind=Kind.TOTP, text=app.code)), Applied)  # still open
        (method,) = ada.view.methods
        assert (method.kind, method.name, method.device, method.usable) == ("totp", "Aegis", "old phone", True)

    def test_what_was_finished_is_not_finished_again(self, place: Place) -> None:
        ada = Person(place).create(password=None)
        begun = place.directory.begin(ada.actor, "ada", Enrol(kind=Kind.TOTP))
        app = ada.app_of(begun)
        ada.finish(begun.ceremony, Answer(kind=Kind.TOTP, text=app.code))
        with refused("no-such-ceremony"):
            ada.finish(begun.ceremony, Answer(kind=Kind.TOTP, text=app.fresh))
        assert len(ada.view.methods) == 1

    @pytest.mark.parametrize(("kind", "minutes"), [(Kind.TOTP, 10), (Kind.SECURITY_KEY, 5)])
    def test_what_was_begun_too_long_ago_is_over(self, place: Place, kind: Kind, minutes: int) -> None:
        ada = Person(place).create(password=None)
        begun = place.directory.begin(ada.actor, "ada", Enrol(kind=kind))
        place.clock.move(minutes=minutes)
        with refused("no-such-ceremony"):
            ada.finish(begun.ceremony, Answer(kind=kind, text=Secret("123456")))

    def test_what_one_account_began_another_does_not_finish(self, place: Place) -> None:
        ada, eve = Person(place).create(password=None), Person(place, "eve").create(password=None)
        begun = place.directory.begin(ada.actor, "ada", Enrol(kind=Kind.TOTP))
        with refused("sign-in-needed"):
            eve.finish(begun.ceremony, Answer(kind=Kind.TOTP, text=ada.app_of(begun).code))
        assert not ada.view.methods
        assert not eve.view.methods

    def test_an_answer_of_another_kind_is_refused(self, place: Place) -> None:
        ada, key = Person(place).create(password=None), SecurityKey()
        begun = place.directory.begin(ada.actor, "ada", Enrol(kind=Kind.SECURITY_KEY))
        with refused("wrong-answer"):
            ada.finish(begun.ceremony, Answer(kind=Kind.TOTP, text=Secret("123456")))
        with refused("bad-response"):
            ada.finish(begun.ceremony, Answer(kind=Kind.SECURITY_KEY, text=Secret("{}")))
        ada.finish(begun.ceremony, Answer(kind=Kind.SECURITY_KEY, text=key_answer(key, begun, new=True)))

    def test_an_answer_from_another_origin_is_refused(self, place: Place) -> None:
        ada, key = Person(place).create(password=None), SecurityKey()
        begun = place.directory.begin(ada.actor, "ada", Enrol(kind=Kind.SECURITY_KEY))
        assert begun.public_key is not None
        with refused("wrong-proof"):
            phished = key.register(begun.public_key, "https://phishing.example")
            ada.finish(begun.ceremony, Answer(kind=Kind.SECURITY_KEY, text=phished))

    def test_a_key_is_named_and_lives_on_itself_and_a_second_one_gets_a_number(self, place: Place) -> None:
        ada = Person(place).create(password=None)
        ada.add_key(SecurityKey())
        ada.add_key(SecurityKey(serial=2))
        ada.add_key(SecurityKey(serial=3), name="blue", device="Key Ring")
        ada.add_key(SecurityKey(serial=4), Kind.PASSKEY)
        named = [(one.name, one.device) for one in ada.view.methods]
        assert named == [
            ("security key", "security key"),
            ("security key 2", "security key 2"),
            ("blue", "Key Ring"),
            ("passkey", "this computer"),
        ]
        assert all(one.two_factor and one.phishing_resistant for one in ada.view.methods)

    def test_a_key_that_is_enrolled_is_refused(self, place: Place) -> None:
        ada, key = Person(place).create(password=None), SecurityKey()
        ada.add_key(key)
        key.made = 0  # it makes the credential it made before
        begun = place.directory.begin(ada.actor, "ada", Enrol(kind=Kind.SECURITY_KEY))
        assert begun.public_key is not None
        assert b"excludeCredentials" in begun.public_key
        with refused("already-enrolled"):
            ada.finish(begun.ceremony, Answer(kind=Kind.SECURITY_KEY, text=key_answer(key, begun, new=True)))
        eve = Person(place, "eve").create(password=None)
        key.made = 0
        with refused("already-enrolled"):
            eve.add_key(key)

    def test_a_device_is_the_same_however_it_is_spelled(self, place: Place) -> None:
        ada = Person(place).create(password=None)
        ada.add_app(device="PHONE")
        ada.add_app(name="second", device="Tablet")
        ada.add_app(name="third", device="tablet ")
        assert [one.device for one in ada.view.methods] == ["phone", "Tablet", "Tablet"]
        assert [one.name for one in place.directory.devices(ada.actor, "ada")] == ["phone", "Tablet"]

    def test_a_name_that_is_taken_is_refused_and_the_answer_may_bring_another(self, place: Place) -> None:
        ada = Person(place).create(password=None)
        ada.add_app(name="Aegis")
        with refused("name-in-use"):
            place.directory.begin(ada.actor, "ada", Enrol(kind=Kind.TOTP, name="aegis"))
        begun = place.directory.begin(ada.actor, "ada", Enrol(kind=Kind.TOTP))
        code = ada.app_of(begun).code
        with refused("bad-name"):
            ada.finish(begun.ceremony, Answer(kind=Kind.TOTP, text=code, name=" "))
        ada.finish(begun.ceremony, Answer(kind=Kind.TOTP, text=code, name="work", device="work phone"))
        assert [(one.name, one.device) for one in ada.view.methods][1] == ("work", "work phone")

    def test_there_are_at_most_five_apps(self, place: Place) -> None:
        ada = Person(place).create(password=None)
        for _ in range(5):
            ada.add_app()
        with refused("too-many"):
            ada.add_app()
        last = place.trail[-1]
        assert (last.event, last.outcome, last.details["problems"]) == ("add-method", "refused", "too-many")

    @pytest.mark.parametrize(
        "kind", [Kind.PHONE, Kind.EMAIL, Kind.AUTHENTICATOR, Kind.PASSWORD, Kind.RECOVERY_CODE, Kind.OTHER]
    )
    def test_a_kind_that_an_embedded_account_has_not_is_refused_with_the_reason(self, place: Place, kind: Kind) -> None:
        ada = Person(place).create(password=None)
        with refused("kind-not-here"):
            place.directory.begin(ada.actor, "ada", Enrol(kind=kind))

    def test_adding_asks_for_a_session_and_a_fresh_proof(self, place: Place) -> None:
        ada = Person(place).create(password=None)
        ada.add_app()
        with refused("sign-in-needed"):
            place.directory.begin(Actor(), "ada", Enrol(kind=Kind.TOTP))
        place.clock.move(minutes=10)
        with refused("weak-proof"):
            place.directory.begin(ada.actor, "ada", Enrol(kind=Kind.TOTP))

    def test_the_proof_is_judged_again_when_it_is_finished(self, place: Place) -> None:
        ada = Person(place).create(password=None)
        place.clock.move(minutes=9)
        begun = place.directory.begin(ada.actor, "ada", Enrol(kind=Kind.TOTP))
        place.clock.move(minutes=2)
        with refused("weak-proof"):
            ada.finish(begun.ceremony, Answer(kind=Kind.TOTP, text=ada.app_of(begun).code))

    def test_a_method_is_renamed_and_made_the_default_by_id_name_or_kind(self, place: Place) -> None:
        ada = Person(place).create(password=None)
        app = ada.add_app(name="Aegis")
        ada.add_key(SecurityKey(), name="blue")
        ada.do(RenameMethodTo(method="totp", name="Aegis 2"))
        ada.do(MakeDefault(method=f"method:{app.method}"))
        first, second = ada.view.methods
        assert (first.name, first.default, second.default) == ("Aegis 2", True, False)
        ada.do(RenameMethodTo(method="aegis 2", name="AEGIS 2"))  # itself in another case
        with refused("name-in-use"):
            ada.do(RenameMethodTo(method="blue", name="aegis 2"))
        with refused("no-such-method"):
            ada.do(MakeDefault(method="green"))

    def test_a_name_that_means_two_methods_is_refused_with_their_ids(self, place: Place) -> None:
        ada = Person(place).create(password=None)
        first = ada.add_key(SecurityKey(), name="blue")
        ada.add_key(SecurityKey(serial=2), name=first)  # its name is the id of the other
        ada.do(RenameMethodTo(method=first, name="green"))
        assert [one.name for one in ada.view.methods] == ["green", first]  # an id goes before a name
        with refused("no-such-method"):
            ada.do(MakeDefault(method="security-key"))

    def test_a_removed_method_signs_in_no_more_and_its_sessions_end(self, place: Place) -> None:
        ada, key = Person(place).create(password=None), SecurityKey()
        app = ada.add_app()
        ada.add_key(key, name="blue")
        ada.new_code()
        there = ada.elsewhere()
        there.with_code(app)
        ada.do(RemoveMethodNamed(method="totp"))
        assert there.view.session is None
        with refused("wrong-code"):
            ada.elsewhere().with_code(app)
        assert [one.id for one in place.directory.sessions(ada.actor, "ada")]
        assert ada.view.session is not None

    def test_the_session_whose_only_method_goes_ends_as_well(self, place: Place) -> None:
        ada, key = Person(place).create(password=None), SecurityKey()
        app = ada.add_app()
        ada.add_key(key)
        ada.new_code()
        ada.token = None
        ada.with_code(app)
        ada.do(RemoveMethodNamed(method="totp"))
        assert ada.view.session is None
        assert not place.store.sessions(ada.view.id)[1:]

    def test_the_last_way_in_stays(self, place: Place) -> None:
        ada = Person(place).create(password=None)
        ada.add_app()
        with refused("no-way-in"):
            ada.do(RemoveMethodNamed(method="totp"))
        assert len(ada.view.methods) == 1

    def test_the_password_is_not_removed_as_a_method(self, place: Place) -> None:
        ada = Person(place).create()
        with refused("use-passwordless-on"):
            ada.do(RemoveMethodNamed(method="password"))

    def test_an_account_made_by_somebody_else_is_none_of_ones_business(self, place: Place) -> None:
        ada = Person(place).create(password=None)
        eve = Person(place, "eve")
        eve._keep(place.directory.create(eve.actor, NewAccount(name="eve")))
        with refused("sign-in-needed"):
            place.directory.begin(eve.actor, "ada", Enrol(kind=Kind.TOTP))
        with refused("sign-in-needed"):
            place.directory.apply(eve.actor, ada.name, RenameMethodTo(method="x", name="y"))
