"""N-grams: a language model learns to write what a passage says that answers a question."""
