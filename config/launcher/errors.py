"""What the launcher can fail with: one kind, whose text is meant for the person at the terminal."""


class LauncherError(Exception):
    """The set-up cannot go on; the text says what happened and what to do next."""
