"""Tests of the features: hand-drawn districts with absolute values, and the naive versions on
generated ones.
"""
