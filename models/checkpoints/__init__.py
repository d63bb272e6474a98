"""Where weights come from: a path, an installed package, the hub, a GGUF file; and their fingerprints."""
