"""What an installation remembers of itself: its keys and its databases, so that none is lost in
silence.
"""
