"""What passless writes for Dovecot, judged by the doveconf that is here."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from passless.domain.party_views import RelyingPartyView
from passless.domain.secret import Secret
from passless.programs import dovecot, setting_up
from tests.strangers.mail.a_dovecot import need_dovecot


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return what stands for /etc/dovecot."""
    need_dovecot()
    monkeypatch.setattr(dovecot, "FOLDER", tmp_path)
    return tmp_path


def written(*, introspects: bool) -> setting_up.Written:
    party = RelyingPartyView(
        id="x",
        name="mail",
        kind="dovecot",
        public=False,
        redirect_uris=(),
        scopes=(),
        introspects=introspects,
        created_at=datetime.now(UTC),
    )
    return setting_up.set_up(
        dovecot,
        setting_up.Setup(party=party, url="https://passless.example", secret=Secret("plc_x"), socket="unix:/run/mail.sock"),
    )


def test_tokens_are_refused_where_dovecot_would_log_the_secret(folder: Path) -> None:
    if not dovecot.is_old():
        pytest.skip("2.4 has another setting for it, which nobody looks at")
    (folder / "dovecot.conf").write_text("auth_debug = yes\n")
    with pytest.raises(setting_up.NotTaken, match="auth_debug"):
        written(introspects=True)
    assert [one.name for one in folder.iterdir()] == ["dovecot.conf"]
    written(introspects=False)


def test_names_with_any_letters_are_asked_about(folder: Path) -> None:
    done = written(introspects=True)
    assert "\nauth_username_chars =\n" in Path(done.files[0]).read_text()
