"""The web application put together: what serving is handed by the rest."""
