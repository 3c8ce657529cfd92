"""What upper rooms tell the connection pages: consequences of a disconnection, known only to them."""

from collections.abc import Callable, Iterable

from .models import Connection

ConsequenceSource = Callable[[Connection], Iterable[str]]
_sources: list[ConsequenceSource] = []


def register_consequences(source: ConsequenceSource) -> ConsequenceSource:
    """Ask `source` what a disconnection would mean, a sentence each; use it in `AppConfig.ready()`."""
    if source not in _sources:
        _sources.append(source)
    return source


def consequences_of_disconnecting(connection: Connection) -> list[str]:
    """Return the sentences of all sources."""
    return [sentence for source in _sources for sentence in source(connection)]
