"""The tables that other systems write: their import from CSV files, and the proof of them."""
