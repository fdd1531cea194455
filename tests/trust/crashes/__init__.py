"""Writers that are killed at many points, and what the next run makes of it."""
