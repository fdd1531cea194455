"""From the lake and the champion to a published list."""
