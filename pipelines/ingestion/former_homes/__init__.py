"""What former versions kept otherwise, brought to today's form."""
