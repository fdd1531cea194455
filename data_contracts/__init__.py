"""What a delivery must look like, and how a bad row is told from a good one."""
