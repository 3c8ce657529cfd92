"""The pages of a portal, as people outside of the organization see them."""
