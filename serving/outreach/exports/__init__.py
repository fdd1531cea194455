"""Exports: all alerts of a kind as one stream, for other systems and for statistics."""
