"""The Directory contract over HTTP: what an embedded account does, one on a server does as well."""

from __future__ import annotations

from tests.directories.contract import ServerContract


class TestOverHttp(ServerContract):
    kept_in = "server"
