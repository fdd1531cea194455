"""Users, their roles, communities and tokens."""
