"""Secrets that must be read back, sealed under one key."""
