"""Operators of a place that serves, each with an account and a key of their own."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from passless.directories.local import LocalDirectory
from passless.domain.requests import ApproveRecovery, GrantOperator, Request, SetGroups
from passless.domain.secret import Secret
from passless.domain.views import Applied, SignedIn, Waits
from passless.ports.directory import Actor, Operator
from tests.directories.person import Person
from tests.directories.place import Place
from tests.directories.security_key import SecurityKey


class Helper(Person):
    """Somebody whose account is that of an operator, once they were made one."""

    def __init__(self, place: Place, name: str, **more: Any) -> None:
        super().__init__(place, name, at="desk")
        self.key = SecurityKey(serial=1000 + sum(name.encode()))  # a key of their own
        self.create(password=None, **more)
        self.add_key(self.key)
        self.new_code()

    def become_the_first(self) -> None:
        """Be made one of the first two operators, by who can open the store on its host."""
        directory = LocalDirectory(replace(self.place.parts, on_host=True))
        directory.apply(Actor(place="host"), self.name, GrantOperator(first=True))

    def fresh(self) -> Secret:
        """Return a session in which everything was proven just now."""
        self.token = None
        assert isinstance(self.with_key(self.key), SignedIn)
        assert self.token is not None
        return self.token

    def helping(self, reason: str = "they called", ticket: str = "") -> Actor:
        """Return who they are while they help somebody."""
        return Actor(token=self.fresh(), operator=Operator(reason=reason, ticket=ticket), place=self.at)

    def ask_for(self, name: str, request: Request) -> Applied | Waits:
        """Ask for something on somebody else's account."""
        return self.place.directory.apply(self.helping(), name, request)

    def agree(self, name: str) -> Applied | Waits:
        """Look at what another operator asks for somebody, and agree to just that."""
        asked = self.place.directory.read(self.helping(), name).approval
        return self.ask_for(name, ApproveRecovery(id="none" if asked is None else asked.id))

    def appoint(self, name: str, *over: str) -> Helper:
        """Make somebody with an account of their own an operator over groups."""
        other = Helper(self.place, name)
        self.ask_for(name, GrantOperator(over=over))
        return other

    def put(self, name: str, *groups: str) -> None:
        """Say which groups an account is in."""
        self.ask_for(name, SetGroups(groups=groups))
