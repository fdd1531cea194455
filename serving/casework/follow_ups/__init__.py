"""Follow-ups: the days on which somebody asks a warned person again."""
