"""Speed and memory beside others, and the learner for numbers beside published results."""
