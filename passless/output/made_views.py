"""How new things look: secrets that are shown once, sessions, kits."""

from __future__ import annotations

from shlex import quote

from rich.console import RenderableType
from rich.panel import Panel
from rich.text import Text

from passless.domain.secret import Secret
from passless.domain.sessions import SessionKind
from passless.domain.views import (
    Begun,
    Ended,
    MadeAppPassword,
    MadeEnrolLink,
    MadeInvitation,
    MadeMethod,
    MadePass,
    MadeRecoveryCode,
    MadeReport,
    MadeToken,
    SecondProofNeeded,
    SignedIn,
    StepView,
)
from passless.output import qr
from passless.output.account_views import freshness, methods, notices, rounded_up, steps
from passless.output.drawing import Look, command, facts, safe, section, spoken, stack, when
from passless.output.human import view
from passless.output.kit import Kit, as_text
from passless.output.results import AccountMade, BegunAdding, Chosen, DeviceSignIn, KitWritten, SignedOut

RECOVERS = (SessionKind.RECOVERY_CODE, SessionKind.TEMPORARY_PASS)
TO_RECOVER = (
    StepView(code="enrol", message="add a sign-in method, if none is left to you", command="passless method add totp"),
    StepView(code="make-recovery-code", message="make a new recovery code", command="passless recovery-code new"),
    StepView(
        code="finish-recovery",
        message="finish the recovery; for a day after it other changes wait",
        command="passless recover finish",
    ),
)
ONCE = "It is shown once; nobody can show it again."


@view.register
def app_password(result: MadeAppPassword, look: Look) -> RenderableType:
    """Draw a new app password."""
    about = [
        ("for", safe(", ".join(result.services) or "anything")),
        ("expires", when(result.expires_at, look.now)),
        ("revoke with", safe(f"passless app-password revoke {result.id}", "cyan")),
    ]
    note = "Type it into the program, with or without the spaces."
    return stack(_secret(result.secret, look, title=result.name), Text(f"{note} {ONCE}", style="dim"), facts(about))


@view.register
def recovery_code(result: MadeRecoveryCode, look: Look) -> RenderableType:
    """Draw a new recovery code."""
    return stack(
        _secret(result.code, look, title="recovery code"),
        Text(f"Write it on paper and keep it away from your phone. {ONCE}", style="dim"),
        None if result.saved else facts([("then type it back", safe("passless recovery-code confirm", "cyan"))]),
    )


@view.register
def temporary_pass(result: MadePass, look: Look) -> RenderableType:
    """Draw a new temporary pass."""
    works = "once" if result.once else "several times"
    about = f"It works {works}, and ends {spoken(result.expires_at, look.now)}. {ONCE}"
    return stack(_secret(result.secret, look, title="temporary pass"), Text(about, style="dim"))


@view.register
def token(result: MadeToken, look: Look) -> RenderableType:
    """Draw a new token."""
    return stack(
        _secret(result.secret, look, title=result.name),
        Text(ONCE, style="dim"),
        facts([("may", safe(", ".join(result.may))), ("expires", when(result.expires_at, look.now))]),
    )


@view.register
def invitation(result: MadeInvitation, look: Look) -> RenderableType:
    """Draw a new invitation: its link, and the link as a QR code for a camera."""
    about = [
        ("for", safe(result.name or "whoever has the link")),
        ("groups", safe(", ".join(result.groups) or "none")),
        *((("address", safe(result.email)),) if result.email else ()),
        ("ends", when(result.expires_at, look.now)),
        ("stop it with", safe(f"passless invitation revoke {result.id} --reason TEXT", "cyan")),
    ]
    if result.also_open:
        about.append(("open as well", safe(f"for the same name: {', '.join(result.also_open)}", "yellow")))
    if not look.is_terminal:
        return stack(Text(result.link.reveal(), no_wrap=True, overflow="ignore"), facts(about))
    return stack(
        _scanned(result.link.reveal(), look),
        Text(""),
        Text(result.link.reveal(), style="bold green", overflow="fold"),
        Text(f"It makes one account. {ONCE}", style="dim"),
        facts(about),
    )


@view.register
def enrol_link(result: MadeEnrolLink, look: Look) -> RenderableType:
    """Draw a link that another device opens: as text, and for its camera where the server is to be reached from there."""
    link = result.link.reveal()
    return stack(
        stack(_scanned(link, look), Text("")) if link.startswith("https://") else None,
        Text(f"  {link}", style="bold", overflow="fold"),
    )


@view.register
def method(result: MadeMethod, look: Look) -> RenderableType:
    """Draw a new method."""
    return methods((result.method,), look)


@view.register
def report(result: MadeReport, look: Look) -> RenderableType:
    """Draw a reported loss: what is off now, and what is left to do."""
    until = rounded_up(result.report.until, look)
    return stack(
        facts(
            [
                ("methods off", Text(str(len(result.report.methods)))),
                ("sessions ended", Text(str(result.sessions_ended))),
                ("app passwords ended", safe(", ".join(result.app_passwords_ended) or "none")),
                ("if it turns up", safe(f"passless device found {quote(_thing(result))}   within {until}", "cyan")),
            ]
        ),
        section("Next", steps(result.next_steps)) if result.next_steps else None,
    )


def _thing(result: MadeReport) -> str:
    return result.report.what.removeprefix("device:")


@view.register
def ended(result: Ended, look: Look) -> RenderableType:
    """Draw how much ended."""
    return Text(f"ended with it: {len(result.ended)}" if result.ended else "nothing was open that had to end")


BELOW = 8  # lines that are drawn below what a camera reads


def _scanned(text: str, look: Look) -> RenderableType:
    """Draw what a camera reads; where the terminal has fewer lines its top is gone, and that is said below it."""
    code = qr.terminal(text)
    needed = code.plain.count("\n") + 1
    if not look.height or needed + BELOW < look.height:
        return code
    note = f"if its top is gone, make the terminal larger than {look.height} lines, or use the letters below"
    return stack(code, Text(note, style="yellow"))


@view.register
def begun(result: Begun, look: Look) -> RenderableType:
    """Draw an open ceremony: a QR code to scan, or what a key is asked."""
    if result.otpauth_uri is not None and result.secret is not None:
        return stack(
            Text("Scan this with the authenticator app:", style="bold"),
            Text(""),
            _scanned(result.otpauth_uri.reveal(), look),
            Text(""),
            facts([("or type", Text(_fours(result.secret), style="bold")), ("ends", when(result.expires_at, look.now))]),
        )
    return facts(
        [
            ("ceremony", safe(result.ceremony, "bold")),
            ("origin", safe(result.origin or "–")),
            ("ends", when(result.expires_at, look.now)),
            ("asked", safe((result.public_key or b"").decode(errors="replace"))),
        ]
    )


@view.register
def begun_adding(result: BegunAdding, look: Look) -> RenderableType:
    """Draw an open ceremony, and how it is finished."""
    return stack(begun(result.begun, look), section("Finish with", command(result.finish_with)))


@view.register
def device_sign_in(result: DeviceSignIn, look: Look) -> RenderableType:
    """Draw where to go on another device, and which code to type there."""
    address = result.verification_uri_complete
    return stack(
        Text("On a phone or another computer, open this address and type the code:", style="bold"),
        Text(""),
        facts(
            [
                ("address", safe(result.verification_uri, "cyan")),
                ("code", safe(result.user_code, "bold")),
                ("ends", when(result.expires_at, look.now)),
                ("finish with", safe(f"passless sign-in --finish {result.ceremony}", "cyan")),
            ]
        ),
        stack(Text(""), Text("or scan this, and compare the code:"), _scanned(address, look)) if address is not None else None,
    )


@view.register
def second_proof(result: SecondProofNeeded, look: Look) -> RenderableType:
    """Draw which second proof is asked for."""
    return facts([("ceremony", safe(result.ceremony, "bold")), ("accepts", safe(", ".join(result.accepts)))])


@view.register
def signed_in(result: SignedIn, look: Look) -> RenderableType:
    """Draw a session that began; one that recovers says what it is there for."""
    recovers = result.kind in RECOVERS
    return stack(
        Text.assemble(("✓ ", "green"), "signed in as ", safe(result.account, "bold"), ", in recovery" if recovers else ""),
        facts([("session", freshness(result.session, look, in_recovery=recovers))]),
        section("News", notices(result.notices, look)) if result.notices else None,
        section("Next", steps(TO_RECOVER)) if recovers else None,
    )


@view.register
def account_made(result: AccountMade, look: Look) -> RenderableType:
    """Draw a new account."""
    return stack(
        Text.assemble(("✓ ", "green"), "made ", safe(result.signed_in.account, "bold"), ", chose it and signed it in"),
        facts([("next", safe("passless setup", "cyan"))]),
    )


@view.register
def chosen(result: Chosen, look: Look) -> RenderableType:
    """Draw which account is chosen."""
    if not result.applied:
        return Text.assemble("commands would act on ", safe(result.account, "bold"))
    return Text.assemble(("✓ ", "green"), "commands act on ", safe(result.account, "bold"), " now")


@view.register
def signed_out(result: SignedOut, look: Look) -> RenderableType:
    """Draw how many sessions ended."""
    return (
        Text("nobody was signed in", style="dim") if not result.ended else Text(f"signed out; sessions ended: {result.ended}")
    )


@view.register
def kit(result: Kit, look: Look) -> RenderableType:
    """Draw the page of the recovery kit."""
    return Text(as_text(result))


@view.register
def kit_written(result: KitWritten, look: Look) -> RenderableType:
    """Draw where the kit is."""
    return Text.assemble(
        ("✓ ", "green"),
        'the recovery kit is in "',
        safe(result.path, "bold"),
        f'"; practise {spoken(result.drill_at, look.now)}',
    )


def _secret(secret: Secret, look: Look, *, title: str) -> RenderableType:
    """Return a new secret, large on a terminal and alone on its line in a pipe."""
    text = Text(secret.reveal(), style="bold green")
    if not look.is_terminal:
        return text
    return Panel(text, title=safe(title), title_align="left", expand=False, padding=(1, 3), border_style="green")


def _fours(secret: Secret) -> str:
    text = secret.reveal()
    return " ".join(text[at : at + 4] for at in range(0, len(text), 4))
