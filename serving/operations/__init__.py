"""What the pipelines report of their work, and what of it needs action."""
