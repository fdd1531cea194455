"""Where, when and of which kind alerts were, how many were right, and what warnings prevented."""
