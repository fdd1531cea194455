"""The command line: names and arguments; the work is in the other rooms."""
