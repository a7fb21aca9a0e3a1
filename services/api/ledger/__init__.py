"""The ledger, which other systems write: import from CSV files, verification and rebuild."""
