"""What really happened: episodes from cases and dispositions, and which moments to learn from."""
