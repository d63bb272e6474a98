"""Collections as the service keeps them: rows, open indexes, merging in the background."""
