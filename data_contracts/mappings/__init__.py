"""How partners' files differ from the contracts, one YAML a source."""
