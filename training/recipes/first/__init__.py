"""FIRST: a language model learns to name the best passage of a list by one letter."""
