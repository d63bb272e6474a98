"""What is trained, and how: one recipe a network."""
