"""Writing a token costs little more than reading the weights: packed matrices, a forward without modules."""
