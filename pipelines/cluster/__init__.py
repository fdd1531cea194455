"""Pieces of work that is too large for one piece, and who computes them."""
