"""The embedded account keeps the Directory contract, over a store in memory and over one in a file."""

from __future__ import annotations

from tests.directories.contract import DirectoryContract


class TestInMemory(DirectoryContract):
    kept_in = "memory"


class TestOnDisk(DirectoryContract):
    kept_in = "disk"
