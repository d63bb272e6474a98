"""Presentations as blocks: each slide a page, its shapes in the order in which they are read."""
