"""Who may call the service."""
