"""What is fitted: the risk model, reputations, scam types, calibration, and today's rule beside
them.
"""
