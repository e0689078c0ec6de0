"""Somebody who makes app passwords over HTTP."""

from __future__ import annotations

from typing import Any

from tests.server.asking import Caller
from tests.server.serving import keep_secret


class Person:
    """An account with two-step on."""

    def __init__(self, caller: Caller) -> None:
        self.caller = caller
        caller.sign_in()
        caller.add_app()
        code = keep_secret(caller.apply("new-recovery-code")["code"])
        caller.apply("confirm-recovery-code", code=code)
        caller.apply("two-step-on")

    def new_app_password(self, name: str = "Mail", **more: Any) -> str:
        """Make an app password and return it as it is shown."""
        return keep_secret(self.caller.apply("new-app-password", name=name, **more)["secret"])

    def revoke(self, name: str = "Mail") -> None:
        """End an app password."""
        self.caller.apply("revoke-app-passwords", names=[name])
