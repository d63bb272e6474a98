"""What may not be torn apart in a text: numbers with units, code, table rows, JSON, and protected words."""
