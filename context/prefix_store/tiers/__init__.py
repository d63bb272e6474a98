"""The tiers of the prefix store: memory, disk, Redis."""
