"""From a delivered file to accepted, quarantined and pseudonymised rows."""
