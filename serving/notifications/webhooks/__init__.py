"""Webhooks: other systems get messages about new urgent alerts, signed, and again until they have
answered.
"""
