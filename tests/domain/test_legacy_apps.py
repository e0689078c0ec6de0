"""The programs of the page that cannot sign in without a password, and what each needs."""

from __future__ import annotations

import re

import pytest

from passless.domain.app_passwords import SERVICES
from passless.domain.legacy_apps import LEGACY_APPS, Need, Proof, find
from passless.domain.party_kinds import PartyKind


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
        ("aerc", "mail-tokens", Need.BROWSER),
        ("CalDAV", "calendar", Need.APP_PASSWORD),
        ("rclone", "webdav", Need.APP_PASSWORD),
        ("git push", "git", Need.APP_PASSWORD),
        ("WLAN", "radius", Need.APP_PASSWORD),
        ("Samba", "smb", Need.KEEP_PASSWORD),
        ("sftp", "ssh", Need.KEY_OR_CODE),
        ("sudo", "linux", Need.KEY_OR_CODE),
        ("Grafana", "web", Need.BROWSER),
        ("Smart TV", "no-keyboard", Need.DEVICE_CODE),
    ],
)
def test_every_program_of_the_page_is_found_by_its_name(words: str, app: str, need: Need) -> None:
    assert (app, need) in [(one.id, one.need) for one in find(words)]


def test_the_ten_of_the_page_come_first_and_each_says_what_to_do() -> None:
    assert [one.id for one in LEGACY_APPS[:10]] == [
        "xbox-360",
        "xbox-one",
        "office-2010",
        "office-mac-2011",
        "mail",
        "mail-device",
        "windows-8",
        "remote-desktop",
        "credential-manager",
        "command-line",
    ]
    assert len({one.id for one in LEGACY_APPS}) == len(LEGACY_APPS)
    assert all(one.advice for one in LEGACY_APPS)


@pytest.mark.parametrize(
    ("app", "kinds"),
    [
        ("mail", {"dovecot"}),
        ("radius", {"http"}),
        ("web", {"oidc", "http"}),
        ("no-keyboard", {"oauth", "oidc"}),
        ("linux", {"pam"}),
        ("ssh", {"ssh", "pam"}),
        ("smb", set()),
        ("remote-desktop", set()),
    ],
)
def test_a_program_names_the_relying_parties_that_it_can_use(app: str, kinds: set[str]) -> None:
    (found,) = [one for one in LEGACY_APPS if one.id == app]
    assert {str(way.relying_party) for way in found.ways} == kinds


def test_every_kind_of_relying_party_serves_some_program() -> None:
    assert {way.relying_party for one in LEGACY_APPS for way in one.ways} == set(PartyKind)


def test_what_has_an_app_password_of_its_own_says_which_service() -> None:
    """An app password signs no person in: it goes through mail and HTTP alone."""
    through = {way.relying_party for one in LEGACY_APPS for way in one.ways if way.proof is Proof.APP_PASSWORD}
    assert through == {PartyKind.DOVECOT, PartyKind.HTTP}


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


def test_what_is_advised_names_no_service_that_would_be_refused() -> None:
    for app in LEGACY_APPS:
        for named in re.findall(r"--for ([a-z0-9,]+)", app.advice):
            assert set(named.split(",")) <= {*SERVICES}, app.id
