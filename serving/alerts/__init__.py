"""Alerts: one person each, with level, reasons and the model's contributions."""
