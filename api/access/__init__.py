"""Access: who may call the service, and how a caller proves it."""
