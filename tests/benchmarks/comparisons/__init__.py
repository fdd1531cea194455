"""What forestall does beside what others do, on the same data: one module a subject."""
