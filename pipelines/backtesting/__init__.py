"""What would have happened: replay, experiments, robustness."""
