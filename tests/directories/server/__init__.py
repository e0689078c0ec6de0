"""Accounts on a server, reached as another machine reaches them."""
