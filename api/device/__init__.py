"""The networks of the service, all on the device's one thread."""
