"""From a file to its rows, in a process that may do nothing else."""
