"""Claims: who is dealing with an alert at the moment."""
