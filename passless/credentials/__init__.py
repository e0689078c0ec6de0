"""Making and checking proofs with vetted libraries: computes with what it is given, never reads a clock, a file or the net."""
