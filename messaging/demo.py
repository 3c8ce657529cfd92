"""What the demo organization begins with. Upper rooms have things to show as well: they register them here."""

from collections.abc import Callable

from integrations.organizations.models import Organization, User

# Called at every start of a trial: it makes what is not there yet.
Part = Callable[[Organization, User], None]
_parts: list[Part] = []


def register_demo_part(part: Part) -> None:
    """Let an upper room add to the demo organization; use it in `AppConfig.ready()`."""
    if part not in _parts:
        _parts.append(part)


def make_demo_parts(organization: Organization, owner: User) -> None:
    """Make whatever the rooms above show in the demo."""
    for part in _parts:
        part(organization, owner)
