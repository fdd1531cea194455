"""What was really going on: episodes from cases and dispositions, and which moments to learn from."""
