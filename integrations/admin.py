"""The wing's admin, one room after the other."""
