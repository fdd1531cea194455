"""The pages of logging in, one's own account, users, and the audit trail."""
