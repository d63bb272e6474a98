"""The ways to rewrite a follow-up, one file each."""
