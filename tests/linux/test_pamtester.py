"""pamtester, with the module of FreeRADIUS, against a server of ours: the files that passless wrote, as it wrote them."""

from __future__ import annotations

import re
import socket
from pathlib import Path

import pexpect

from passless.programs.pam import NOT_THERE as SERVER_DOWN
from passless.programs.waiting_for_approval import NOT_APPROVED
from passless.programs.waiting_for_approval import NOT_THERE as WAITS_IN_VAIN
from tests.free_ports import free_port
from tests.linux.host import APPROVAL_PROMPT, CODE_PROMPT, LOCAL_PASSWORD, NOT_YET, PAM, PASSWORD_PROMPT, Host, Somebody
from tests.server.asking import PASSWORD
from tests.server.serving import keep_secret
from tests.strangers.registering import on_host

IN = "pamtester: successfully authenticated"
WRONG = "pamtester: Authentication failure"
NOT_THERE = "pamtester: Authentication service cannot retrieve authentication info"


def with_code(host: Host, person: Somebody, code: str, service: str = "") -> str:
    """Type a code where it is asked for; return what pamtester says."""
    return host.asks(service or f"{host.service}-code", person.name, (CODE_PROMPT, code))[1].strip()


def shown_code(child: pexpect.spawn[str]) -> str:
    """Press Enter instead of a code, and return the one that is shown for the other device."""
    child.expect(CODE_PROMPT)
    child.sendline("")
    child.expect(APPROVAL_PROMPT)
    return str(child.match.group(2))


def last_words(child: pexpect.spawn[str]) -> str:
    child.expect(pexpect.EOF)
    child.close()
    return str(child.before).strip()


def second_steps(host: Host, person: Somebody) -> list[tuple[str, str]]:
    """Return the outcome and the reason of each second step in the trail of an account, the last first."""
    steps = [one for one in person.events() if one["event"] == "second-step"]
    assert all(one["details"]["name"] == host.name for one in steps)
    return [(one["outcome"], one["details"].get("reason", "")) for one in steps]


def test_the_password_and_a_code_let_a_person_in(host: Host) -> None:
    ada = host.somebody().joins()
    status, said = host.asks(host.service, ada.name, (PASSWORD_PROMPT, LOCAL_PASSWORD), (CODE_PROMPT, ada.code()))
    assert (status, said.strip()) == (0, IN)
    (step,) = [one for one in ada.events() if one["event"] == "second-step"]
    assert step["outcome"] == "done"
    assert step["place"] == f"{host.name}:{ada.name}"
    assert step["details"]["service"] == host.service
    assert step["details"]["kind"] == "totp"


def test_who_does_not_know_the_password_is_not_asked_for_a_code(host: Host) -> None:
    """So strangers cannot use up the tries of anybody."""
    ada = host.somebody().joins()
    status, said = host.asks(host.service, ada.name, (PASSWORD_PROMPT, "not the password"))
    assert (status, said.strip()) == (1, WRONG)
    assert second_steps(host, ada) == []


def test_a_wrong_code_lets_nobody_in_and_is_written_down(host: Host) -> None:
    """Must hold 8."""
    ada = host.somebody().joins()
    assert with_code(host, ada, ada.wrong_code()) == WRONG
    assert second_steps(host, ada) == [("failed", "no step matches")]


def test_a_code_lets_in_once(host: Host) -> None:
    """Must hold 12."""
    ada = host.somebody().joins()
    code = ada.code()
    assert with_code(host, ada, code) == IN
    assert with_code(host, ada, code) == WRONG
    assert second_steps(host, ada)[0][0] == "failed"


def test_nothing_tells_whether_there_is_an_account_or_an_app(host: Host) -> None:
    """Must hold 3: same prompts, same answers; and the same address with a code that looks the same."""
    with_app, without_app, without_account = host.somebody().joins(), host.somebody().joins(with_app=False), host.somebody()
    said = {with_code(host, one, with_app.wrong_code()) for one in (with_app, without_app, without_account)}
    assert said == {WRONG}
    for person in (without_app, without_account):
        child = host.begins(f"{host.service}-code", person.name)
        assert len(shown_code(child)) == 9
        child.close()


def test_nothing_but_a_code_of_an_app_is_taken(host: Host) -> None:
    ada = host.somebody().joins()
    recovery_code = keep_secret(ada.caller.apply("new-recovery-code")["code"])
    ada.caller.apply("confirm-recovery-code", code=recovery_code)
    ada.caller.apply("two-step-on")
    ada.caller.sign_in()
    proven = ada.caller.post(f"/accounts/{ada.name}/sign-in", {"kind": "totp", "text": ada.code()})
    ada.caller.token = keep_secret(proven["token"])
    app_password = keep_secret(ada.caller.apply("new-app-password", name="shell")["secret"])
    for secret in (recovery_code, app_password, PASSWORD):
        assert with_code(host, ada, secret) == WRONG


def test_who_has_no_code_approves_on_another_device(host: Host) -> None:
    ada, bob = host.somebody().joins(), host.somebody().joins()
    child = host.begins(f"{host.service}-code", ada.name)
    user_code = shown_code(child)
    assert "No device waits with that code" in bob.answers(user_code)  # somebody else's approval does not count
    child.sendline("")
    child.expect(NOT_YET)
    assert "Refused" not in ada.answers(user_code)
    assert f"Somebody signs in on {host.name} by {host.service}-code as {ada.name}" in ada.asked
    child.sendline("")
    assert last_words(child) == IN
    assert second_steps(host, ada) == [("done", "")]


def test_who_presses_enter_first_is_let_in_as_soon_as_they_approve(host: Host) -> None:
    ada = host.somebody().joins()
    child = host.begins(f"{host.service}-code", ada.name)
    user_code = shown_code(child)
    child.sendline("")
    ada.answers(user_code)
    assert last_words(child) == IN


def test_where_nobody_can_type_the_code_is_shown_and_it_waits(host: Host) -> None:
    ada, bob = host.somebody().joins(), host.somebody().joins()
    for person, said, ends in ((ada, "approve", (IN,)), (bob, "refuse", (NOT_APPROVED, WRONG))):
        child = host.begins(f"{host.service}-wait", person.name)
        child.expect(PASSWORD_PROMPT)
        child.sendline(LOCAL_PASSWORD)
        child.expect(r"type ([B-Z]{4}-[B-Z]{4}) there\. It goes on here by itself\.")
        person.answers(str(child.match.group(1)), said)
        words = last_words(child)
        assert all(end in words for end in ends)
        assert words.endswith(ends[-1])
    assert second_steps(host, ada) == [("done", "")]
    assert second_steps(host, bob) == [("failed", "refused")]


def test_where_nobody_can_type_and_the_server_is_down_it_is_said_and_no_fault_of_the_system(host: Host, tmp_path: Path) -> None:
    ada = host.somebody()
    files = (PAM / f"{host.service}-wait").read_text()
    known = Path(f"/etc/{host.service}.radius")
    assert f" {known}\n" in files
    elsewhere = tmp_path / "nobody-listens.radius"
    elsewhere.write_text(re.sub(r"127\.0\.0\.1:\d+", f"127.0.0.1:{free_port()}", known.read_text()))
    service = host.a_service(files.replace(str(known), str(elsewhere)))
    status, said = host.asks(service, ada.name, (PASSWORD_PROMPT, LOCAL_PASSWORD))
    assert status != 0
    assert WAITS_IN_VAIN in " ".join(said.split())
    assert said.strip().endswith(WRONG)


def test_what_was_refused_lets_nobody_in(host: Host) -> None:
    ada = host.somebody().joins()
    child = host.begins(f"{host.service}-code", ada.name)
    assert "Refused" in ada.answers(shown_code(child), "refuse")
    child.sendline("")
    assert last_words(child) == WRONG


def test_an_approval_ends_with_the_session_that_gave_it(host: Host) -> None:
    """Must hold 7."""
    ada = host.somebody().joins()
    child = host.begins(f"{host.service}-code", ada.name)
    ada.answers(shown_code(child))
    ada.caller.apply("end-sessions", all=True)
    child.sendline("")
    assert last_words(child) == WRONG


def test_what_was_on_a_lost_device_lets_nobody_in(host: Host) -> None:
    """Must hold 7."""
    ada = host.somebody().joins()
    ada.caller.apply("report-lost-device", device="phone")
    assert with_code(host, ada, ada.code()) == WRONG


def test_who_guesses_has_to_wait_and_is_told_so(host: Host) -> None:
    ada = host.somebody().joins()
    service, wrong = f"{host.service}-code", ada.wrong_code()
    for _ in range(10):
        assert with_code(host, ada, wrong) == WRONG
    waits = "Too many wrong codes came before. Wait a minute, then try again. Press Enter: "
    assert host.asks(service, ada.name, (CODE_PROMPT, ada.code()), (waits, ""))[1].strip() == WRONG
    bob = host.somebody().joins()
    assert with_code(host, bob, bob.code()) == IN  # another user of the same host need not


def test_the_password_that_was_typed_stays_with_the_modules_of_the_host(host: Host) -> None:
    """pam_unix asks again with the password that it asked for itself: neither the code nor nothing has taken its place."""
    ada = host.somebody().joins()
    service = host.a_service(f"@include {host.service}\nauth required pam_unix.so use_first_pass\n")
    status, said = host.asks(service, ada.name, (PASSWORD_PROMPT, LOCAL_PASSWORD), (CODE_PROMPT, ada.code()))
    assert (status, said.strip()) == (0, IN)


def test_test_says_that_all_of_it_works(host: Host) -> None:
    verdicts = on_host(host.served, "relying-party", "test", host.name)
    assert any(host.socket in one["message"] for one in verdicts)
    assert {one["check"] for one in verdicts} >= {
        "files",
        host.service,
        f"{host.service}-code",
        f"{host.service}-wait",
        "socket",
    }
    assert all(one["ok"] for one in verdicts)


def test_while_the_server_is_down_or_its_port_taken_it_is_a_failure_that_passes(host: Host) -> None:
    """Neither "welcome" nor "wrong password", and it comes back by itself.

    Who takes the port first closes this door and not the server's others; it is tried again until it is there.
    """
    ada = host.somebody().joins()
    with host.in_a_hurry():
        child = host.begins(f"{host.service}-code", ada.name)
        shown_code(child)
        host.served.stop()
        child.sendline("")
        assert last_words(child).endswith(NOT_THERE)
        said = host.asks(f"{host.service}-code", ada.name)[1].strip()
        assert said.startswith(SERVER_DOWN)
        assert said.endswith(NOT_THERE)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as first:
        first.bind(("127.0.0.1", int(host.socket.rpartition(":")[2])))
        host.serve_on()
        told = host.served.await_line("socket-not-open")
        assert (told["level"], told["relying_party"]) == ("error", host.name)
        assert told["message"].endswith("cannot be had: address already in use")
        with host.caller(ada.name) as caller:
            assert caller.sign_in()["account"] == ada.name
    assert host.served.await_line("socket-open")["address"] == host.socket
    assert with_code(host, ada, ada.code()) == IN
    assert "traceback" not in host.served.text.lower()


def test_it_is_said_that_strangers_may_choose_the_names_of_users(host: Host) -> None:
    assert host.written["then"][0].startswith("look at the names of that host's users")
    (said,) = [one["message"] for one in host.served.lines if one["event"] == "note" and host.name in one["message"]]
    assert "sign-up is open" in said


def test_a_missing_file_or_module_lets_nobody_in(host: Host) -> None:
    ada = host.somebody().joins()
    text = Path(f"/etc/pam.d/{host.service}-code").read_text()
    for broken in (text.replace(".radius", ".gone"), text.replace("pam_radius_auth.so", "pam_gone.so")):
        status, said = host.asks(host.a_service(broken), ada.name)
        assert status == 1, said
