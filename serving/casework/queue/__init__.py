"""The queue: the alerts that wait for somebody, the most urgent first."""
