"""Data files with structure as blocks: JSON, XML, and notebooks of code."""
