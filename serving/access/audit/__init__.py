"""The audit trail: who did what to which subject, as a chain that shows if an entry was changed,
added or removed.
"""
