"""Ways to read a prompt, one a file."""
