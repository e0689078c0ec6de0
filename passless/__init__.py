"""passless: go passwordless, and never get locked out on the way."""

__version__ = "0.1.0"
