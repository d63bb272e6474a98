"""Which sentence of a passage carries a sentence of the answer."""
