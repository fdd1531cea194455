"""Suppressions: people who are not to be alerted for a while, with a reason and somebody who
answers for it.
"""
