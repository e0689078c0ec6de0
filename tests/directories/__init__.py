"""Tests of the Directory port and of what implements it."""
