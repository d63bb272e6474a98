"""What files of tables share: which rows name columns, what cells are, and the document of each row."""
