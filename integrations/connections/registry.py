"""What upper rooms tell the connection pages, and what they hear of: consequences known only to them."""

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


HealthCallback = Callable[[Connection], object]
_on_broken: list[HealthCallback] = []
_on_working: list[HealthCallback] = []


def on_connection_broken(callback: HealthCallback) -> HealthCallback:
    """Call `callback` with each connection that Twilio began to refuse, after that was committed.

    Use it in `AppConfig.ready()`. It is called once for each time a connection breaks, in the process that noticed.
    """
    if callback not in _on_broken:
        _on_broken.append(callback)
    return callback


def on_connection_working(callback: HealthCallback) -> HealthCallback:
    """Call `callback` with each broken connection that works again, after that was committed."""
    if callback not in _on_working:
        _on_working.append(callback)
    return callback


def tell_broken(connection: Connection) -> None:
    """Call whoever wants to know of broken connections."""
    for callback in _on_broken:
        callback(connection)


def tell_working(connection: Connection) -> None:
    """Call whoever wants to know of connections that work again."""
    for callback in _on_working:
        callback(connection)
