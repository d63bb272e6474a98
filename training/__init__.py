"""Trains what the project ships; not part of the installed server."""
