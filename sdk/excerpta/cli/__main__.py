"""`python -m excerpta.cli`."""

from . import main

main()
