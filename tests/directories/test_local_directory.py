"""The Directory contract over a store: an embedded one in memory and in a file, and a server's, where nobody may do all."""

from __future__ import annotations

from tests.directories.contract import DirectoryContract, ServerContract


class TestInMemory(DirectoryContract):
    kept_in = "memory"


class TestOnDisk(DirectoryContract):
    kept_in = "disk"


class TestOfAServer(ServerContract):
    kept_in = "server"
