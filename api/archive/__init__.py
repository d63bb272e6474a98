"""Export of a collection to one file, and its import."""
