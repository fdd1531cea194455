"""What was measured as Markdown, JSON and pictures."""
