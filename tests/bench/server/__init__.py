"""How good the server is, each figure beside its bound or rival in the same run: `python -m tests.bench.server --help`."""
