"""Settings, profiles, and who is signed in: read strictly, written privately."""

from __future__ import annotations

import stat
import tomllib
from pathlib import Path

import pytest
from msgspec.structs import replace

from passless.domain.errors import WrongUse
from passless.domain.secret import Secret
from passless.private_files import UnreadableFile, UnwritableFile
from passless.session_tokens import SessionTokens
from passless.settings import BadProfile, BadSettings, NoSuchProfile, Profile, ProfileChanged, Settings, find_folders
from tests.cli.running import Passless

WORK = Profile(name="work", place="store", address="sqlite:////srv/work.sqlite")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings({"PASSLESS_HOME": str(tmp_path)})


def again(settings: Settings) -> Settings:
    """Read the settings anew, as the next run does."""
    return Settings(settings.environ)


def test_the_local_profile_needs_no_file(settings: Settings) -> None:
    profile = settings.profile()
    assert (profile.name, profile.place, profile.vault) == ("local", "store", "auto")
    assert profile.address == f"sqlite:///{settings.folders.data}/stores/local.sqlite"
    assert not settings.path.exists()


def test_one_folder_holds_everything(tmp_path: Path) -> None:
    folders = find_folders({"PASSLESS_HOME": str(tmp_path)})
    assert {folders.config.parent, folders.data.parent, folders.state.parent} == {tmp_path}


def test_without_it_the_system_says_where(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert find_folders({}).config.name == "passless"


def test_a_profile_is_added_chosen_changed_and_removed(settings: Settings) -> None:
    settings.add(WORK)
    again(settings).use("WORK")
    assert again(settings).profile() == WORK
    again(settings).replace(Profile(name="work", place="store", address=WORK.address, vault="file"))
    assert again(settings).profile("work").vault == "file"
    again(settings).remove("work")
    assert [profile.name for profile in again(settings).profiles()] == ["local"]
    assert again(settings).profile().name == "local"


def test_two_runs_at_the_same_time_lose_nothing(settings: Settings) -> None:
    other = again(settings)
    assert [len(one.profiles()) for one in (settings, other)] == [1, 1]  # both have read the file
    settings.add(WORK)
    other.add(Profile(name="home", place="store", address="sqlite:////srv/home.sqlite"))
    settings.use("home")
    other.remove("work")
    assert [profile.name for profile in again(settings).profiles()] == ["local", "home"]
    assert again(settings).chosen == "home"


def test_a_profile_that_was_changed_meanwhile_is_not_put_back(settings: Settings) -> None:
    settings.add(WORK)
    again(settings).replace(replace(WORK, vault="file"))
    with pytest.raises(ProfileChanged):
        settings.replace(replace(WORK, policy="/srv/rules.toml"), before=WORK)
    again(settings).remove("work")
    with pytest.raises(NoSuchProfile):
        settings.replace(replace(WORK, policy="/srv/rules.toml"), before=WORK)


def test_many_processes_add_profiles(passless: Passless) -> None:
    added = [passless.begin("profile", "add", f"p{number}", "--store", "sqlite:////srv/x.sqlite") for number in range(4)]
    assert [one.wait() for one in added] == [0] * 4
    assert len(passless.json("profile", "list")) == 5


def test_the_file_is_private_and_readable_by_people(settings: Settings) -> None:
    settings.add(WORK)
    assert stat.S_IMODE(settings.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(settings.path.parent.stat().st_mode) == 0o700
    assert tomllib.loads(settings.path.read_text())["profiles"]["work"] == {"store": WORK.address}


def test_a_link_stays_a_link(settings: Settings, tmp_path: Path) -> None:
    kept = tmp_path / "dotfiles.toml"
    kept.write_text("")
    settings.path.parent.mkdir()
    settings.path.symlink_to(kept)
    settings.add(WORK)
    assert settings.path.is_symlink()
    assert "work" in kept.read_text()


def test_the_environment_comes_before_the_file(settings: Settings) -> None:
    settings.add(WORK)
    settings.use("work")
    assert Settings({**settings.environ, "PASSLESS_PROFILE": "local"}).profile().name == "local"
    assert Settings({**settings.environ, "PASSLESS_OUTPUT": "json"}).wants_json is True


@pytest.mark.parametrize(
    "content",
    [
        "profile = ",
        "x = 1",
        "[profiles.a]",
        '[profiles.a]\nstore = "x"',
        '[profiles.a]\nstore="sqlite:////a"\nserver="https://b"',
    ],
)
def test_a_broken_file_is_named(settings: Settings, content: str) -> None:
    settings.path.parent.mkdir()
    settings.path.write_text(content)
    with pytest.raises(WrongUse) as caught:
        settings.profiles()
    assert isinstance(caught.value, BadSettings | BadProfile)


def test_a_file_that_is_not_text_is_named(settings: Settings) -> None:
    settings.path.parent.mkdir()
    settings.path.write_bytes(b"\xff\xfe")
    with pytest.raises(UnreadableFile, match=str(settings.path)):
        settings.profiles()


@pytest.mark.parametrize("address", ["", "/srv/x", "sqlite:relative", "mysql://x", "sqlite:////a\0b"])
def test_a_store_has_an_absolute_url(settings: Settings, address: str) -> None:
    with pytest.raises(BadProfile):
        settings.add(Profile(name="x", place="store", address=address))


def test_a_name_is_used_once(settings: Settings) -> None:
    settings.add(WORK)
    with pytest.raises(BadProfile):
        settings.add(Profile(name="Work", place="store", address=WORK.address))
    with pytest.raises(BadProfile):
        settings.remove("local")
    with pytest.raises(NoSuchProfile):
        settings.profile("other")


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "config").write_text("in the way")
    settings = Settings({"PASSLESS_HOME": str(tmp_path)})
    with pytest.raises((UnwritableFile, UnreadableFile), match="config"):
        settings.add(WORK)


def test_tokens_are_kept_privately_and_found_by_id_and_name(tmp_path: Path) -> None:
    tokens = SessionTokens(tmp_path / "sessions" / "local.json")
    tokens.keep("id1", "Anna", Secret("t1"))
    tokens.choose("id1", "Anna")
    found = SessionTokens(tokens.path)
    assert found.token_of("anna") == found.token_of("id1") == Secret("t1")
    assert (found.chosen, found.name_of("id1")) == ("id1", "Anna")
    assert stat.S_IMODE(tokens.path.stat().st_mode) == 0o600
    assert "t1" not in repr(found.__dict__)


def test_a_token_that_ended_is_forgotten_and_the_choice_stays(tmp_path: Path) -> None:
    tokens = SessionTokens(tmp_path / "local.json")
    tokens.keep("id1", "Anna", Secret("t1"))
    tokens.choose("id1", "Anna")
    tokens.forget(Secret("t1"))
    assert (tokens.token_of("id1"), tokens.chosen) == (None, "id1")
    tokens.drop("id1")
    assert tokens.chosen is None


def test_two_processes_keep_each_others_tokens(tmp_path: Path) -> None:
    one, other = SessionTokens(tmp_path / "local.json"), SessionTokens(tmp_path / "local.json")
    assert one.chosen is None
    other.keep("id2", "Ben", Secret("t2"))
    one.keep("id1", "Anna", Secret("t1"))
    assert SessionTokens(one.path).token_of("id2") == Secret("t2")


@pytest.mark.parametrize("name", ["../../x", "a/b", "..", "ærlig", "x" * 60])
def test_no_profile_name_leaves_the_folder(settings: Settings, name: str) -> None:
    path = settings.tokens(Profile(name=name, place="store", address=WORK.address)).path
    assert path.parent == settings.folders.state / "sessions"
    assert path.name.isascii()
