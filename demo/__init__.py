"""Starts the whole system on one machine with realistic data, tries it and shows it."""
