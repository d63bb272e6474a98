"""One script an engine, each run in a process of its own by the interpreter that has the engine."""
