"""What stands on a printed page, in reading order: characters, lines, columns, paragraphs."""
