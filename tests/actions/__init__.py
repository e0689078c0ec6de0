"""Tests of the actions that stand behind the port."""
