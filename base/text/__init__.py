"""Sentences, words, terms and stop words: one copy for every stage."""
