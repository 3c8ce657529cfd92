"""Pages of who is logged in to a portal, by topic."""
