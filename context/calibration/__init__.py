"""Measures which temperature and scale a model needs."""
