"""Delivered files: from bytes to the contract's columns and types."""
