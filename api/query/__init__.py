"""One query: its plan, its stages, its answer."""
