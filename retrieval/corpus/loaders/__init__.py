"""One module a format: bytes in, documents out."""
