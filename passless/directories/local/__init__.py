"""Accounts in a store of this machine: the actions behind the Directory port."""

from passless.directories.local.directory import LocalDirectory

__all__ = ["LocalDirectory"]
