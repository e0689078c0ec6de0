"""pamtester, with the module of FreeRADIUS, against a server of ours: the file that passless wrote, as it wrote it."""

from __future__ import annotations

from tests.linux.host import CODE_PROMPT, LOCAL_PASSWORD, PASSWORD_PROMPT, Host


def test_the_password_and_a_code_let_a_person_in(host: Host) -> None:
    ada = host.somebody().joins()
    status, said = host.asks(host.service, ada.name, (PASSWORD_PROMPT, LOCAL_PASSWORD), (CODE_PROMPT, ada.code()))
    assert status == 0, said
    assert "successfully authenticated" in said
