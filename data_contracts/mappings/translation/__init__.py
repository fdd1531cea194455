"""From a delivered table to the columns of a contract, as a mapping says."""
