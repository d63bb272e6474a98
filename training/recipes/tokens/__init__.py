"""The token encoder's adapter: short token vectors by which passages rank."""
