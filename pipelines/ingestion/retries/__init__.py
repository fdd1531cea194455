"""Rejected rows that are tried again after a mapping, a rule or a setting has changed."""
