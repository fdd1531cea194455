"""The event store: coded, sorted events on disk, brought forward by whoever asks for an index."""
