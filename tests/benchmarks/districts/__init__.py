"""Whole districts through the public verbs, each in a process of its own: time and memory."""
