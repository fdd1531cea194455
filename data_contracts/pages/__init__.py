"""Pages written from the contracts, in Markdown."""
