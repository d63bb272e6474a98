"""Makers of documents that are packages of XML."""
