"""How a passage becomes a block of keys and values."""
