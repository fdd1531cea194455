"""Who is alerted: what a warning is worth, the budget, and the one walk over ticks that decides."""
