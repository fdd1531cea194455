"""Pages of the engineers: how the system does, what deliveries ended as, trying a file."""
