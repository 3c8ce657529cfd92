"""The pages of somebody who is logged in to a portal."""
