"""Random checkpoints of the real architectures at a thousandth of the size, and profiles of them."""
