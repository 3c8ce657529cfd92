"""Members' pages of a portal's people: who is in, waits or is invited, what was written to them, the figures."""
