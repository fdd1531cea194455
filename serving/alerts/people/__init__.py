"""People by pseudonym: the fresh score of one person."""
