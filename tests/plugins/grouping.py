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
# Single tests that take long: begun among the first, so that no worker is left alone with one at the end.
_LONG = ("tests/test_every_route.py", "tests/integrations/organizations/test_tenant_admin.py")


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


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put what takes long in front; the order is the same in every worker."""
    items.sort(key=lambda item: not item.nodeid.startswith(_LONG))
