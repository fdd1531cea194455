"""What people do about alerts: the queue, claims, dispositions, follow-ups, suppressions, call
scripts.
"""
