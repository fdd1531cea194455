"""The serving room: what was published, who may see it and what they answered."""
