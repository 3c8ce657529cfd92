"""The visitor's side of public forms: no sign-in, no cookie, nothing from other hosts; works without a script."""
