"""Search by a real number or ID: it is turned into its pseudonym at once and goes nowhere else."""
