"""When things run, and what a run writes down about itself."""
