"""What each feature is called, and how its value is said to a person."""
