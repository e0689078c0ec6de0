"""Programs that do not sign in as a browser does, and what to do for each (features.md, "legacy programs").

The first ten are those of the support page passless starts from; what to do is what passless offers in their place. `ways` are
how a program can use the accounts of one's own server: through which kind of relying party, and with which proof.
"""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from passless.domain.names import key
from passless.domain.party_kinds import PartyKind


class Need(StrEnum):
    """What a program needs once the account has no password."""

    APP_PASSWORD = "app-password"
    DEVICE_CODE = "device-code"
    KEEP_PASSWORD = "keep-password"
    BROWSER = "browser"
    KEY_OR_CODE = "key-or-code"


class Proof(StrEnum):
    """What a program signs in with."""

    APP_PASSWORD = "app-password"
    TOKEN = "token"  # of a sign-in in a browser (XOAUTH2, OAUTHBEARER)
    BROWSER = "browser"
    DEVICE_CODE = "device-code"
    CODE = "code"  # of an authenticator app, or an approval on another device, beside what the host asks first
    SECURITY_KEY = "security-key"


class Way(Struct, frozen=True, kw_only=True):
    """Through which kind of relying party a program can use a server's accounts, and with which proof."""

    relying_party: PartyKind
    proof: Proof


class LegacyApp(Struct, frozen=True, kw_only=True):
    """One program or family of programs."""

    id: str
    name: str
    need: Need
    advice: str
    also: tuple[str, ...] = ()
    ways: tuple[Way, ...] = ()

    @property
    def wants_password(self) -> bool:
        """Whether it stops working once there is no password, until somebody does something about it."""
        return self.need in (Need.APP_PASSWORD, Need.KEEP_PASSWORD)


_MAIL = Way(relying_party=PartyKind.DOVECOT, proof=Proof.APP_PASSWORD)
_MAIL_TOKEN = Way(relying_party=PartyKind.DOVECOT, proof=Proof.TOKEN)
_HTTP = Way(relying_party=PartyKind.HTTP, proof=Proof.APP_PASSWORD)
_HTTP_BROWSER = Way(relying_party=PartyKind.HTTP, proof=Proof.BROWSER)
_OIDC = Way(relying_party=PartyKind.OIDC, proof=Proof.BROWSER)
_DEVICE = Way(relying_party=PartyKind.OAUTH, proof=Proof.DEVICE_CODE)
_OIDC_DEVICE = Way(relying_party=PartyKind.OIDC, proof=Proof.DEVICE_CODE)
_HOST = Way(relying_party=PartyKind.PAM, proof=Proof.CODE)
_SSH = Way(relying_party=PartyKind.SSH, proof=Proof.SECURITY_KEY)

_APP_PASSWORD = "turn two-step on and make it an app password: passless app-password create NAME"
_FOR_SITE = _APP_PASSWORD + " --for SERVICE (what it is called at the server)"

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
        ways=(_MAIL,),
    ),
    LegacyApp(
        id="office-mac-2011",
        name="Office for Mac 2011 or earlier",
        need=Need.APP_PASSWORD,
        advice=_APP_PASSWORD + ", or install a newer Office",
        also=("office for mac", "outlook for mac 2011"),
        ways=(_MAIL,),
    ),
    LegacyApp(
        id="mail",
        name="Mail programs over IMAP, POP or SMTP",
        need=Need.APP_PASSWORD,
        advice=_APP_PASSWORD + " --for imap,smtp",
        also=(
            "imap",
            "pop",
            "pop3",
            "smtp",
            "thunderbird",
            "apple mail",
            "evolution",
            "kmail",
            "k-9 mail",
            "mutt",
            "fetchmail",
            "mbsync",
            "msmtp",
            "mail program",
        ),
        ways=(_MAIL, _MAIL_TOKEN),
    ),
    LegacyApp(
        id="mail-device",
        name="Devices that send mail (cameras, printers, scanners)",
        need=Need.APP_PASSWORD,
        advice=_APP_PASSWORD + " --for smtp",
        also=("camera", "security camera", "printer", "scanner", "nas", "copier"),
        ways=(_MAIL,),
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
        also=("cron", "task scheduler", "scheduled task", "scheduled job", "script", "curl", "wget"),
        ways=(_HTTP, _DEVICE),
    ),
    LegacyApp(
        id="mail-tokens",
        name="Mail programs that take tokens (aerc; mutt and mbsync with a helper)",
        need=Need.BROWSER,
        advice="set them to XOAUTH2 or OAUTHBEARER with the server's addresses; they sign in with a browser",
        also=("xoauth2", "oauthbearer", "aerc", "oauth mail"),
        ways=(_MAIL_TOKEN,),
    ),
    LegacyApp(
        id="calendar",
        name="Calendars and contacts (CalDAV, CardDAV)",
        need=Need.APP_PASSWORD,
        advice=_FOR_SITE,
        also=("caldav", "carddav", "calendar", "contacts", "davx5", "dav"),
        ways=(_HTTP,),
    ),
    LegacyApp(
        id="webdav",
        name="Files over WebDAV",
        need=Need.APP_PASSWORD,
        advice=_FOR_SITE,
        also=("davfs2", "rclone", "file sync", "dav"),
        ways=(_HTTP,),
    ),
    LegacyApp(
        id="git",
        name="Git over HTTPS",
        need=Need.APP_PASSWORD,
        advice=_FOR_SITE + ", or use Git over ssh with a security key",
        also=("git https", "git push"),
        ways=(_HTTP, _SSH),
    ),
    LegacyApp(
        id="radius",
        name="Wi-Fi and VPNs that ask over RADIUS",
        need=Need.APP_PASSWORD,
        advice=_FOR_SITE + "; EAP-TTLS with PAP, or PAP: with MS-CHAPv2 (PEAP) the password never reaches the server",
        also=("wi-fi", "wifi", "wlan", "vpn", "802.1x", "eap", "freeradius"),
        ways=(_HTTP,),
    ),
    LegacyApp(
        id="smb",
        name="Network drives (SMB)",
        need=Need.KEEP_PASSWORD,
        advice="give that file server passwords of its own: it needs a hash that passless does not keep",
        also=("samba", "cifs", "network drive", "windows share"),
    ),
    LegacyApp(
        id="ssh",
        name="ssh, scp, sftp and rsync over ssh",
        need=Need.KEY_OR_CODE,
        advice="sign in with a security key (OpenSSH 8.2 or newer), or with a code after the key or password of the host",
        also=("openssh", "scp", "sftp", "rsync", "putty"),
        ways=(_SSH, _HOST),
    ),
    LegacyApp(
        id="linux",
        name="sudo, su and sign-in on Linux",
        need=Need.KEY_OR_CODE,
        advice="a code, or an approval on another device, after the password of the host",
        also=("sudo", "su", "login", "pam", "gdm"),
        ways=(_HOST,),
    ),
    LegacyApp(
        id="web",
        name="Web apps",
        need=Need.BROWSER,
        advice="let them ask by OpenID Connect, or put them behind a proxy that asks",
        also=("web app", "openid connect", "oidc", "single sign-on", "sso", "grafana", "nextcloud", "gitea", "wiki"),
        ways=(_OIDC, _HTTP_BROWSER),
    ),
    LegacyApp(
        id="no-keyboard",
        name="Televisions, consoles and tools without a browser",
        need=Need.DEVICE_CODE,
        advice="they show a code: type it at /device on a computer or phone that you trust",
        also=("tv", "television", "smart tv", "console", "headless", "terminal"),
        ways=(_DEVICE, _OIDC_DEVICE),
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
