"""Excerpta in other libraries: one module a library, each behind an extra of its name."""
