"""The words every part of serving shares: levels, results, roles, published values.

It imports nothing of ours.
"""
