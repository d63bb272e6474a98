"""The text of a prompt: its parts, its placeholders, its modules."""
