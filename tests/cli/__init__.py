"""Tests of the command line: status, stdout and stderr of every command."""
