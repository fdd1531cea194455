"""Frauds and honest stories that resemble them, played as their scripts say."""
