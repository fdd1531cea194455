"""What the store consists of."""
