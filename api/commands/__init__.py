"""Commands of the server: `excerpta serve` and its like, and the generators of files."""
