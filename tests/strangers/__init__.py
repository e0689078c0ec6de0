"""Tests that strangers wrote, run against what we made."""
