"""What every directory must do, whichever place its accounts live in: inherit, and name a fixture `place`."""

from __future__ import annotations

from tests.directories.sentences.accounts import AccountSentences
from tests.directories.sentences.methods import MethodSentences
from tests.directories.sentences.settings import SettingSentences
from tests.directories.sentences.signing_in import SignInSentences


class DirectoryContract(AccountSentences, SignInSentences, MethodSentences, SettingSentences):
    """The sentences, each with its assertions."""
