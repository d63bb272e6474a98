"""Limits each search to one core, so that parallel searches do not wait for each other."""

from __future__ import annotations

import faiss
from threadpoolctl import ThreadpoolController


def one_core_for_products() -> None:
    """Makes NumPy's matrix products, for the whole process, run in the thread that asks for them.

    They are small here, and threads that share one out wait for each other: two readers at once had to
    wait 1.3 s at the 95th percentile, and 0.1 s without. PyTorch's own products are not touched.
    """
    ThreadpoolController().select(prefix="libscipy_openblas").limit(limits=1)


def one_core_for_faiss() -> None:
    """Makes FAISS use one core for what this thread asks of it."""
    faiss.omp_set_num_threads(1)
