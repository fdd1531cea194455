"""What the store consists of: books of codes, segments of events, states of relationships."""
