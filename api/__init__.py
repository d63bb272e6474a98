"""The HTTP service."""

import os

__version__ = "0.1.0"

# OpenMP's threads wait for each other by turning: 300,000 rounds with GNU's library unless told otherwise. On
# a machine that does other work too, that takes more CPU time than the networks. PyTorch reads it once.
os.environ.setdefault("GOMP_SPINCOUNT", "10000")
# oneDNN keeps 1,024 compiled products, one a shape, so that a service that reads texts of every length grows
# for hundreds of questions. These are enough for what is written and read side by side.
os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "128")
