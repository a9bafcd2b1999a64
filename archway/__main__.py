"""`python -m archway`: the command line without its script."""

from archway.cli import main

main()
