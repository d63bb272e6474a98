"""The keep adapter: for each token of a text, how probably it is kept when the text is shortened."""
