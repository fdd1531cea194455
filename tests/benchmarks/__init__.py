"""Speed beside a plain way, and the learner for numbers beside published results."""
