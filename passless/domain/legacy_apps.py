"""Programs that cannot sign in without a password, and what to do for each (features.md, "legacy programs").

The list is the one of the support page passless starts from; what to do is what passless offers in its place.
"""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from passless.domain.names import key


class Need(StrEnum):
    """What a program needs once the account has no password."""

    APP_PASSWORD = "app-password"
    DEVICE_CODE = "device-code"
    KEEP_PASSWORD = "keep-password"


class LegacyApp(Struct, frozen=True, kw_only=True):
    """One program or family of programs."""

    id: str
    name: str
    need: Need
    advice: str
    also: tuple[str, ...] = ()


_APP_PASSWORD = "turn two-step on and make it an app password: passless app-password create NAME"

LEGACY_APPS = (
    LegacyApp(
        id="xbox-360",
        name="Xbox 360",
        need=Need.APP_PASSWORD,
        advice=_APP_PASSWORD + " --short",
        also=("xbox",),
    ),
    LegacyApp(
        id="xbox-one",
        name="Xbox One and Xbox Series X/S",
        need=Need.DEVICE_CODE,
        advice='choose "use another device" on the console and enter its code on a device you trust',
        also=("xbox series", "xbox series x", "xbox series s", "xbox"),
    ),
    LegacyApp(
        id="office-2010",
        name="Office 2010 or earlier (Outlook 2010 too)",
        need=Need.APP_PASSWORD,
        advice=_APP_PASSWORD + ", or install a newer Office",
        also=("outlook 2010", "office 2007", "office"),
    ),
    LegacyApp(
        id="office-mac-2011",
        name="Office for Mac 2011 or earlier",
        need=Need.APP_PASSWORD,
        advice=_APP_PASSWORD + ", or install a newer Office",
        also=("office for mac", "outlook for mac 2011"),
    ),
    LegacyApp(
        id="mail",
        name="Mail programs over IMAP, POP or SMTP",
        need=Need.APP_PASSWORD,
        advice=_APP_PASSWORD + " --for imap,smtp",
        also=("imap", "pop", "pop3", "smtp", "thunderbird", "mail program"),
    ),
    LegacyApp(
        id="mail-device",
        name="Devices that send mail (cameras, printers, scanners)",
        need=Need.APP_PASSWORD,
        advice=_APP_PASSWORD + " --for smtp",
        also=("camera", "security camera", "printer", "scanner"),
    ),
    LegacyApp(
        id="windows-8",
        name="Windows 8.1, Windows 7 or earlier",
        need=Need.KEEP_PASSWORD,
        advice="keep the password on this account, or sign in to that computer with a local account",
        also=("windows 8.1", "windows 8", "windows 7"),
    ),
    LegacyApp(
        id="remote-desktop",
        name="Remote Desktop",
        need=Need.KEEP_PASSWORD,
        advice="keep the password on this account, or connect with a local account of that computer",
        also=("rdp", "mstsc"),
    ),
    LegacyApp(
        id="credential-manager",
        name="Credential Manager",
        need=Need.KEEP_PASSWORD,
        advice="keep the password on this account, or remove what was saved with it",
    ),
    LegacyApp(
        id="command-line",
        name="Some command-line and scheduled jobs",
        need=Need.APP_PASSWORD,
        advice=_APP_PASSWORD + "; jobs that run passless itself use a token: passless token create NAME --may status",
        also=("cron", "task scheduler", "scheduled task", "scheduled job", "script"),
    ),
)


def find(words: str) -> tuple[LegacyApp, ...]:
    """Return the programs that a person may mean, all of them where nothing is named."""
    wanted = key(words)
    if not wanted:
        return LEGACY_APPS
    exact = tuple(app for app in LEGACY_APPS if wanted in {key(app.id), key(app.name), *map(key, app.also)})
    return exact or tuple(
        app for app in LEGACY_APPS if wanted in key(app.name) or any(wanted in key(word) for word in app.also)
    )
