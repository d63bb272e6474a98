"""How a question is read over the blocks of its passages."""
