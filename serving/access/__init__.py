"""Who may come in and what they may see: logins, users, tokens, and the audit trail."""
