"""What every directory must do, whichever place its accounts live in: inherit, and name a fixture `place`."""

from __future__ import annotations

from tests.directories.sentences.accounts import AccountSentences
from tests.directories.sentences.agreeing import AgreeingSentences
from tests.directories.sentences.invitations import InvitationSentences
from tests.directories.sentences.methods import MethodSentences
from tests.directories.sentences.operators import OperatorSentences
from tests.directories.sentences.reading import ReadingSentences
from tests.directories.sentences.recovering import RecoverySentences
from tests.directories.sentences.relying_parties import RelyingPartySentences
from tests.directories.sentences.reports import ReportSentences
from tests.directories.sentences.rights import RightsSentences
from tests.directories.sentences.settings import SettingSentences
from tests.directories.sentences.signing_in import SignInSentences
from tests.directories.sentences.tokens import TokenSentences


class DirectoryContract(
    AccountSentences,
    SignInSentences,
    MethodSentences,
    SettingSentences,
    RecoverySentences,
    TokenSentences,
    ReportSentences,
    OperatorSentences,
    RelyingPartySentences,
    ReadingSentences,
):
    """The sentences, each with its assertions."""


class ServerContract(DirectoryContract, RightsSentences, AgreeingSentences, InvitationSentences):
    """What a server does besides: its operators, groups and invitations."""
