"""The store: its contract, and what SQLite adds to it."""
