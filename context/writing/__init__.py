"""Writes answers token by token, one or many at a time."""
