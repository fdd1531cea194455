"""Safekeeping: whether an installation is whole, copies of it, and its keys apart."""
