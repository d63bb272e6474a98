"""Ways to fuse, one a file."""
