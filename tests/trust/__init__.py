"""What this product promises, tried on the real thing: ``make trust``."""
