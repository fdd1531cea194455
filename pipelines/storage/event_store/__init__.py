"""The event store: coded, sorted events on disk, brought forward by each load."""
