"""Check again: ask Twilio anew about a saved connection, and believe the answer."""

from django.db import transaction

from integrations.organizations import audit
from integrations.organizations.models import User

from . import sandbox
from .check import CheckReport, run_check
from .connecting import adopt
from .health import mark_broken, mark_working
from .models import Connection


def recheck(connection: Connection, *, actor: User | str | None, ip: str = "") -> CheckReport:
    """Check the connection, store the report, and mark it working or broken as Twilio says; return the report.

    Where Twilio does not answer, the report says so and the state stays what it was.
    """
    if connection.is_sandbox:
        sandbox.point_replies_here(connection)  # a restarted sandbox has forgotten them
    report = run_check(connection)
    changed = adopt(connection, report)
    with transaction.atomic():
        connection.save(update_fields=changed)
        result = "good" if report.is_good else ", ".join(step.subject for step in report.problems)
        audit.record(
            connection.organization,
            actor=actor,
            action="connection.checked",
            target=connection,
            changes={"result": result},
            ip=ip,
        )
    if report.is_unreachable:
        return report
    breaking = report.breaking
    if breaking is not None and breaking.code is not None:
        mark_broken(connection, code=breaking.code, note="found by a check")
    elif breaking is None:
        mark_working(connection)
    return report
