"""The programs of the page that cannot sign in without a password, and what each needs."""

from __future__ import annotations

import pytest

from passless.domain.legacy_apps import LEGACY_APPS, Need, find


@pytest.mark.parametrize(
    ("words", "app", "need"),
    [
        ("Xbox 360", "xbox-360", Need.APP_PASSWORD),
        ("Xbox One", "xbox-one", Need.DEVICE_CODE),
        ("Xbox Series X", "xbox-one", Need.DEVICE_CODE),
        ("Office 2010", "office-2010", Need.APP_PASSWORD),
        ("Outlook 2010", "office-2010", Need.APP_PASSWORD),
        ("Office for Mac 2011", "office-mac-2011", Need.APP_PASSWORD),
        ("IMAP", "mail", Need.APP_PASSWORD),
        ("POP", "mail", Need.APP_PASSWORD),
        ("security camera", "mail-device", Need.APP_PASSWORD),
        ("Windows 8.1", "windows-8", Need.KEEP_PASSWORD),
        ("windows 7", "windows-8", Need.KEEP_PASSWORD),
        ("Remote Desktop", "remote-desktop", Need.KEEP_PASSWORD),
        ("Credential Manager", "credential-manager", Need.KEEP_PASSWORD),
        ("scheduled task", "command-line", Need.APP_PASSWORD),
        ("cron", "command-line", Need.APP_PASSWORD),
    ],
)
def test_every_program_of_the_page_is_found_by_its_name(words: str, app: str, need: Need) -> None:
    assert (app, need) in [(one.id, one.need) for one in find(words)]


def test_there_are_ten_and_each_says_what_to_do() -> None:
    assert len(LEGACY_APPS) == 10
    assert len({one.id for one in LEGACY_APPS}) == 10
    assert all(one.advice for one in LEGACY_APPS)


def test_what_needs_an_app_password_names_the_command() -> None:
    wanting = [one for one in LEGACY_APPS if one.need is Need.APP_PASSWORD]
    assert all("passless app-password create" in one.advice for one in wanting)


def test_an_exact_name_gives_that_program_alone() -> None:
    assert [one.id for one in find("xbox 360")] == ["xbox-360"]


def test_a_name_that_may_mean_two_gives_both() -> None:
    assert {one.id for one in find("xbox")} == {"xbox-360", "xbox-one"}


def test_part_of_a_name_is_enough() -> None:
    assert [one.id for one in find("desktop")] == ["remote-desktop"]


@pytest.mark.parametrize("words", ["", "  "])
def test_no_words_give_all_of_them(words: str) -> None:
    assert find(words) == LEGACY_APPS


def test_an_unknown_program_gives_none() -> None:
    assert find("teletext") == ()
