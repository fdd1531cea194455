"""How things are said and drawn: translations, templates, words of the trade, charts."""
