"""How others hear of alerts: the live stream of the pages, and webhooks."""
