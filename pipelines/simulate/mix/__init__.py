"""What a district is like: every number of the simulation is a setting."""
