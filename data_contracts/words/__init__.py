"""The words for what befalls rows and files, and for the reasons of an alert."""
