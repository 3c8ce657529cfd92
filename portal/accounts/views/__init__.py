"""Members' pages of portals: setting them up, and looking after their people."""
