"""What a host and a person say to each other through a PAM module: a code, or an approval on another device.

The host begins with an empty password. That is the proof that it has the secret: what others send decrypts to anything but
nothing. What goes on from there is in the state that the host sends back, sealed: nobody else could make it, nothing of it
is kept here, and a server that was started anew goes on with it. Who saw one packet of the host's can hide another password
in it, under the same authenticator: so what a conversation was begun with answers nothing in it.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from hashlib import sha256

import msgspec
from msgspec import Struct

from passless.actions import second_steps, store_secret, throttle
from passless.actions.granting import says_who
from passless.actions.second_steps import OnHost
from passless.credentials import handed_out
from passless.domain.account import Account
from passless.domain.errors import ProofNeeded, WrongUse
from passless.domain.names import LONGEST_TYPED, printable
from passless.domain.relying_parties import Client
from passless.domain.safety.on_hosts import has_shown_second_step
from passless.domain.secret import Secret
from passless.domain.sessions import Session
from passless.ports import VersionMoved
from passless.programs import radius_packets
from passless.programs.radius_packets import Asked, Code
from passless.programs.waiting_for_approval import PRESS_ENTER
from passless.server.oauth import devices, giving
from passless.server.oauth.metadata import VERIFY
from passless.server.site import Site

LIFE = devices.LIFE  # how long a person may take
ASK_FOR_CODE = "One-time code (Enter: approve on another device): "
TOO_MANY = "Too many requests came before. One-time code: "
WAIT = "Too many wrong codes came before. Wait {minutes}, then try again. Press Enter: "
OFF = "Codes are off here after too many wrong ones. Press Enter, begin again, and approve on another device: "
ASK_FOR_APPROVAL = "Open {address} and type {code} there" + PRESS_ENTER
NOT_YET = "Nobody approved {code} yet, at {address}. Press Enter once you have: "
SHORT_ADDRESS = "the page /device of your passless server"
USED = "the authenticator stood in another packet"
TRIES = 8  # of a write that others came in between


class NotFromHost(Exception):
    """A packet that the host cannot have made: it is not answered and counts as nothing; the words are for the log."""


class Stage(Struct, frozen=True, array_like=True):
    """Where a conversation is: whose, since when, the device code that was shown, and the authenticator it was begun with."""

    who: bytes
    begun_at: datetime
    device_code: str = ""
    user_code: str = ""
    is_over: bool = False
    begun_with: bytes = b""


class Reply(Struct, frozen=True, kw_only=True):
    """What the host is told. `waits`: it may be told better in a moment."""

    code: Code
    text: str = ""
    stage: Stage | None = None
    echo: bool = False
    waits: bool = False


class Conversation:
    """What is said to one host."""

    def __init__(self, site: Site, party: Client) -> None:
        self._site = site
        self._party = party
        self._key = store_secret.derived(store_secret.read(site.parts).key, f"radius/{party.id}")

    def stage_of(self, asked: Asked) -> Stage | None:
        """Return where a conversation is that the host goes on with; None where it begins one.

        Raises:
            NotFromHost: neither its beginning nor its state is what the host would send.
        """
        if asked.state is None:
            if asked.password:
                raise NotFromHost("the first password is not empty: the secret is wrong, or skip_passwd is missing")
            return None
        content = handed_out.unseal(self._key, asked.state)
        if content is None:
            raise NotFromHost("the state is none of ours")
        stage = msgspec.msgpack.decode(content, type=Stage)
        if stage.who != _who(asked):
            raise NotFromHost("the state is somebody else's")
        if stage.begun_with == asked.authenticator:
            raise NotFromHost(USED)
        return stage

    def state(self, stage: Stage) -> bytes:
        """Seal where a conversation is."""
        return handed_out.seal(self._key, msgspec.msgpack.encode(stage), self._site.parts.entropy)

    def reply(self, asked: Asked, stage: Stage | None) -> Reply:
        """Return what a host is told.

        Raises:
            Unavailable: store or vault do not answer now.
            NoSuchRelyingParty: the host was removed.
        """
        parts, host = self._site.parts, self._on_host(asked)
        second_steps.check_party(parts, self._party)
        if stage is None:
            return Reply(code=Code.CHALLENGE, text=ASK_FOR_CODE, stage=_begun(asked, parts.now()))
        if stage.is_over:
            return Reply(code=Code.REJECT)
        if stage.device_code:
            return self._approved(host, stage)
        if parts.now() >= stage.begun_at + LIFE:
            return Reply(code=Code.REJECT)
        if not asked.password.strip():
            return self._ask_for_approval(host, stage)
        return self._code(host, stage, Secret(asked.password.decode(errors="replace")))

    def _on_host(self, asked: Asked) -> OnHost:
        return OnHost(
            party=self._party,
            user=_user(asked.user),
            service=printable(asked.service.decode(errors="replace")) or "an unnamed service",
            caller=printable(asked.caller.decode(errors="replace")),
        )

    def _code(self, host: OnHost, stage: Stage, code: Secret) -> Reply:
        try:
            second_steps.check_code(self._site.parts, host, code)
        except throttle.Throttled as error:
            return _over(stage, WAIT.format(minutes=_spoken(timedelta(seconds=error.seconds))))
        except throttle.SwitchedOff:
            return _over(stage, OFF)
        except (ProofNeeded, WrongUse):
            return Reply(code=Code.REJECT)
        return Reply(code=Code.ACCEPT)

    def _ask_for_approval(self, host: OnHost, stage: Stage) -> Reply:
        parts = self._site.parts
        account = second_steps.find_user(parts, host, parts.now()).account
        try:
            begun = devices.begin(parts, self._party.id, host.service, host.place, only_for=account.id)
        except devices.TooManyDevices:
            return Reply(code=Code.CHALLENGE, text=TOO_MANY, stage=stage)
        after = msgspec.structs.replace(stage, device_code=begun.device_code, user_code=begun.user_code)
        return self._shown(ASK_FOR_APPROVAL, after)

    def _approved(self, host: OnHost, stage: Stage) -> Reply:
        """Look whether the person approved; what they answered is used up, and in the trail whatever it leads to."""
        parts = self._site.parts
        for _ in range(TRIES):
            waiting, now = devices.find(parts, stage.device_code), parts.now()
            if waiting is None:
                return Reply(code=Code.REJECT)
            is_late = now >= min(waiting.device.ends_at, stage.begun_at + LIFE)
            if not waiting.device.answer:
                return Reply(code=Code.REJECT) if is_late else self._shown(NOT_YET, stage)
            found = second_steps.find_user(parts, host, now)
            who, source = giving.whose(parts, waiting.device.account_id, waiting.device.approved_in)
            why = "code-expired" if is_late else self._why_not(waiting.device, found.account, source, now)
            try:
                if why:
                    account = found.account if who is None else who.account
                    second_steps.note_refused(parts, host, account, why, now, drops=(waiting.record,))
                    return Reply(code=Code.REJECT)
                second_steps.keep(parts, host, found, "device", now, source=source, drops=(waiting.record,))
            except VersionMoved:
                continue
            return Reply(code=Code.ACCEPT)
        raise VersionMoved

    def _why_not(self, device: devices.Device, user: Account, source: Session | None, now: datetime) -> str:
        """Return why an answer lets nobody in as the host's user, for the trail; nothing where it lets them in."""
        if device.answer == "refused":
            return "refused"
        if user.id != device.account_id:
            return "not-the-user"
        if source is None or not says_who(source):
            return "session-over"
        if not has_shown_second_step(user, source.proofs, self._site.parts.rules, now):
            return "weak-proof"  # a second password is no second step
        return ""

    def _shown(self, words: str, stage: Stage) -> Reply:
        text = words.format(address=f"{self._site.url}{VERIFY}", code=stage.user_code)
        if len(text.encode()) > radius_packets.LONGEST_VALUE:
            text = words.format(address=SHORT_ADDRESS, code=stage.user_code)
        return Reply(code=Code.CHALLENGE, text=text, stage=stage, echo=True, waits=words is NOT_YET)


def _begun(asked: Asked, now: datetime) -> Stage:
    return Stage(_who(asked), now, begun_with=asked.authenticator)


def _over(stage: Stage, text: str) -> Reply:
    """Say something that is the end, whatever is typed after it."""
    return Reply(code=Code.CHALLENGE, text=text, stage=msgspec.structs.replace(stage, is_over=True))


def _who(asked: Asked) -> bytes:
    """Return what binds a state to the user, the service and where they came from."""
    return sha256(b"\0".join((asked.user, asked.service, asked.caller))).digest()[:16]


def _user(name: bytes) -> str:
    """Return a local user's name; what is no text, or has no business in a name, becomes one that no account can have."""
    try:
        text = name.decode()
    except UnicodeDecodeError:
        text = ""
    return text if text.isprintable() and text else name.hex().ljust(LONGEST_TYPED + 1, "~")


def _spoken(time: timedelta) -> str:
    minutes = -(-int(time.total_seconds()) // 60)
    return "a minute" if minutes <= 1 else f"{minutes} minutes"
