"""The token index on disk: exact vectors, inverted lists, their headers."""
