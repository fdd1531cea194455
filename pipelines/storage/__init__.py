"""What is kept on disk: lake, ledger, vault, scores, and how it looked at a moment."""
