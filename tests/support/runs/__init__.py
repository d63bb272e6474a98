"""Programs that tests of a collection start as processes, and kill."""
