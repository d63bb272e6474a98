"""Neural networks, one a file: text encoder, language model, token classifier, remote chat client."""
