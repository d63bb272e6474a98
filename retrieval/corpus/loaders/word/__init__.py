"""Word documents (DOCX): headings, paragraphs, lists, tables, equations and notes as a reader sees them."""
