"""What happens while people watch: lists that are published, claims and results that come in."""
