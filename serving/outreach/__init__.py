"""Outreach lists: a community's share of a day's alerts, with names and numbers."""
