"""Suspects: the numbers and accounts that fraud is likely done with."""
