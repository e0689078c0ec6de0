"""What can be wrong with a request before any rule looks at it."""

from __future__ import annotations

from passless.domain.errors import WrongUse


class BadDuration(WrongUse):
    """A duration outside what is allowed."""

    code = "bad-duration"
    hint = "write it as 10m, 8h or 30d"


class AlreadySo(WrongUse):
    """A setting is already what was asked for; nothing is done."""

    code = "already-so"
    hint = "see: passless status"


class BadService(WrongUse):
    """A service name that cannot be one."""

    code = "bad-service"
    hint = "name services as mail servers do: --for imap,smtp"


class CodeWrong(WrongUse):
    """The recovery code typed back is not the new one."""

    code = "code-differs"
    hint = "look at what you wrote down and type it again, or make another: passless recovery-code new"


class AsksPasswordlessOn(WrongUse):
    """The password goes by its own command, with its own rules."""

    code = "use-passwordless-on"
    hint = "passless passwordless on"
