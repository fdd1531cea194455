"""The one fast kernel: events by owner and moment, and the joins that ask them."""
