"""Writers of answers: the language model of this service, or a service elsewhere."""
