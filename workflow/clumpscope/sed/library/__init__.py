"""Libraries of stellar populations: read, and built from public data."""
