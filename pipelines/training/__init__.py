"""From the lake and the cases to a challenger, judged and perhaps promoted."""
