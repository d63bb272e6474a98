"""Tables of Word documents: their rows with what cells span, and which rows head them."""
