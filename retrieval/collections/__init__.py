"""One collection: its versions, searches of a version, the writer, merging and filters."""
