"""Taking out again what was loaded, by the word of a person."""
