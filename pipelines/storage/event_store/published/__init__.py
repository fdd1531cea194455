"""The event store as it is published, for other machines to work from."""
