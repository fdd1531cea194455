"""Writes that may be sent twice: a key makes the second one an echo of the first."""
