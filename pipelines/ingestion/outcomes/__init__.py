"""What became of delivered files and rows: kept, told and counted."""
