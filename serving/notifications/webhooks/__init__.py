"""Webhooks: other systems are told of new urgent alerts, signed, and again until they have
answered.
"""
