"""What if I lose my phone? The same value a reported loss makes, never saved."""

from __future__ import annotations

from passless.domain.safety.planning import plan
from passless.domain.safety.what_if import Lost, after_losing, every_loss, losable, lose
from tests.builders import (
    NOW,
    RULES,
    a_lost_device,
    a_password,
    a_phone,
    a_saved_code,
    a_security_key,
    a_totp,
    an_account,
    proven_with,
)

ACCOUNT = an_account(methods=[a_password(), a_totp(), a_phone(), a_security_key()])
PHONE, KEY, PASSWORD = Lost(device="phone"), Lost(device="blue key"), Lost(method="password")


def test_it_equals_really_losing_the_device() -> None:
    really = plan(ACCOUNT, a_lost_device("phone"), proven_with(), RULES).after
    assert after_losing(ACCOUNT, [PHONE], NOW).methods == really.methods
    assert after_losing(ACCOUNT, [PHONE], NOW).losses == ()


def test_it_says_what_is_left() -> None:
    found = lose(ACCOUNT, [PHONE], RULES, NOW)
    assert (found.survives, found.ways_in, found.recovery_code_helps) == (True, (("password",), ("blue key",)), False)


def test_two_things_at_once_and_a_forgotten_password() -> None:
    assert lose(ACCOUNT, [PHONE, KEY], RULES, NOW).ways_in == (("password",),)
    assert lose(ACCOUNT, [PASSWORD, KEY], RULES, NOW).ways_in == (("app",), ("number",))
    assert not lose(ACCOUNT, [PHONE, KEY, PASSWORD], RULES, NOW).survives


def test_a_saved_code_helps() -> None:
    account = an_account(methods=[a_totp()], codes=[a_saved_code()])
    found = lose(account, [PHONE], RULES, NOW)
    assert (found.survives, found.ways_in, found.recovery_code_helps) == (True, (), True)


def test_everything_that_can_be_lost_is_every_device_and_the_password() -> None:
    assert [str(one) for one in losable(ACCOUNT)] == ["device:phone", "device:blue key", "method:password"]


def test_every_loss_of_one_and_of_any_two() -> None:
    assert len(list(every_loss(ACCOUNT, RULES, NOW))) == 3
    assert [loss.survives for loss in every_loss(ACCOUNT, RULES, NOW, at_once=2)] == [True, True, True]


def test_nothing_lost_changes_nothing() -> None:
    assert after_losing(ACCOUNT, [Lost()], NOW) == ACCOUNT
