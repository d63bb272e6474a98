"""Compressors, one a file."""
