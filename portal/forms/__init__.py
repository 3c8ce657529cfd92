"""Public forms: built by members, filled in by anybody, with the number proved where the form asks for it."""
