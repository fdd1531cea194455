"""The catalogue of features: what each is, over which window, and how its value is said."""
