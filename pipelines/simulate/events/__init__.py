"""Calls and payments as columns, and the ordinary day."""
