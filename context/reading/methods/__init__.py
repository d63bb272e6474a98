"""Ways to read a question over its passages, one a file."""
