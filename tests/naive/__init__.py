"""Slow, obvious versions of the fast kernels: plain loops over rows, no code shared with what they
check.
"""
