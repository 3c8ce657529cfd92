"""External portals: people outside of the organization who register, are invited and approved, and log in by a code."""
