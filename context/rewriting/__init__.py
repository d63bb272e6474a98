"""A follow-up of a conversation made a question of its own, so that it can be searched alone."""
