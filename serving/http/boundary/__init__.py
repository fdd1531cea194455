"""What stands around every request: who may send how much, how many are worked on at once."""
