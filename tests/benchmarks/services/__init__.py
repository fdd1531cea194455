"""The API beside other servers: one client at a time, and many."""
