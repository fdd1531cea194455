"""The landing folder: what was delivered, and by whom."""
