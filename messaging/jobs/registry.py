"""The kinds of long work: each room registers its own from `AppConfig.ready()`."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from integrations.organizations.roles import Capability

if TYPE_CHECKING:
    from .models import Job

Step = Callable[["Job", float], bool]


@dataclass(frozen=True)
class JobKind:
    """A kind of work: what members read, who may cancel it, and the function that does a slice.

    `forgets` are the params that may name people, like what was searched for: gone as soon as the job ends in any way.
    """

    name: str
    title: str
    step: Step
    capability: Capability
    is_cancelable: bool = True
    forgets: tuple[str, ...] = ()


_kinds: dict[str, JobKind] = {}


def register_job(
    name: str,
    *,
    title: str,
    capability: Capability = Capability.SEND,
    is_cancelable: bool = True,
    forgets: tuple[str, ...] = (),
) -> Callable[[Step], Step]:
    """Make a function the step of a kind of work.

    The function gets the job and a moment (`time.monotonic()`) until which a slice should last, does a slice, saves
    what it did together with `work.save_progress` in one transaction, and returns True when everything is done. It may
    be called again after any slice, in any process. Raises JobFailed to end the job with a sentence for the admin.
    """

    def register(step: Step) -> Step:
        _kinds[name] = JobKind(
            name=name, title=title, step=step, capability=capability, is_cancelable=is_cancelable, forgets=forgets
        )
        return step

    return register


def kind_of(name: str) -> JobKind | None:
    """Return a kind by its name; None for one that no room of this version knows."""
    return _kinds.get(name)
