"""`python -m passless`."""

from passless.cli.main import main

main()
