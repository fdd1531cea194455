"""The features themselves: a module for the person, and one for each kind of counterparty."""
