"""The HTTP service."""

import os

__version__ = "0.1.0"

# OpenMP's threads wait for each other by turning: 300,000 rounds with GNU's library unless told otherwise. On
# a machine that does other work too, that takes more CPU time than the networks. Read when PyTorch is loaded.
os.environ.setdefault("GOMP_SPINCOUNT", "10000")
