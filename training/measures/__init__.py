"""How good a trained network is on held-out data."""
