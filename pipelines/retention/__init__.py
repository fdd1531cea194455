"""What is kept how long, and what is taken out for good: for its age, or as a person asks."""
