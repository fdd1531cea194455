"""Call scripts: what the person who calls asks, says and leaves unsaid, for each scam type."""
