"""Watchlists: the ranked alerts of one moment."""
