"""Which tests of a parallel run share a worker.

By the address of a test and not by a mark: pytest-xdist 3.8 writes its groups where pytest 9.1 and newer do not look.
"""

import pytest
from xdist.scheduler import LoadScopeScheduling

# What starts whole products or measures: one after the other, so that they have a core to themselves.
_HEAVY = (
    "tests/browser/",
    "tests/chaos/",
    "tests/load/",
    "tests/config/launcher/test_run",
    "tests/config/launcher/test_e",
)
_PLANS = "/test_plans.py"  # statistics of large tables, made once for each worker


class Grouped(LoadScopeScheduling):
    """Like pytest-xdist's `load`, with the tests of a group kept together."""

    def _split_scope(self, nodeid: str) -> str:
        path = nodeid.partition("::")[0]
        if path.startswith(_HEAVY):
            return "heavy"
        return path if path.endswith(_PLANS) else nodeid


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> Grouped:
    """Schedule in these groups, the largest first."""
    return Grouped(config, log)  # type: ignore[arg-type]
