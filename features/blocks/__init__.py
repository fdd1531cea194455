"""The features themselves, a module for each kind of counterparty."""
