"""Other vendors' wire forms."""
