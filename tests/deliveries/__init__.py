"""Deliveries as partners really send them, one small file a kind, with how each must end."""
