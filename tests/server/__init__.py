"""The server, over HTTP."""
