"""Dispositions: what analysts and officers found."""
