"""One script per engine. Each runs in a separate process, with the engine's own interpreter."""
