"""Places where tables and files lie: a folder, or an object store that speaks S3."""
