"""Who lives in the district, with their numbers and accounts."""
