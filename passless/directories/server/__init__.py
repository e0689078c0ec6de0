"""Accounts on a passless server, reached over HTTP."""

from passless.directories.server.directory import ServerDirectory

__all__ = ["ServerDirectory"]
