"""Loading of encoders and language models: every stage gets its networks here."""
