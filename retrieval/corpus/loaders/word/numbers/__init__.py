"""Numbers of lists and headings: how they are counted, and how they are written."""
