"""Broadcasts whose recipients a caller of the API gave, checked without a clerk and fed without a beat."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from integrations.connections.models import Connection
from messaging.broadcasts import creating, lifecycle
from messaging.broadcasts.creating import Plan
from messaging.broadcasts.models import Broadcast
from messaging.jobs import work
from messaging.jobs.models import Job
from messaging.templates.models import Template, TemplateVersion
from tests.conftest import Cast

Given = Sequence[str | dict[str, Any]]


def number(n: int) -> str:
    """Return the n-th of many valid mobile numbers."""
    return f"+4915112{n:06d}"


def run_check(broadcast: Broadcast) -> Broadcast:
    """Do what the clerk does until the check is over, and return the broadcast fresh."""
    broadcast.refresh_from_db()
    assert broadcast.check_job_id
    while not work.run(broadcast.check_job_id):
        pass
    broadcast.refresh_from_db()
    return broadcast


def job_of(broadcast: Broadcast) -> Job:
    return Job.objects.get(pk=broadcast.check_job_id)


@pytest.fixture
def make_template(cast: Cast) -> Callable[[str], Template]:
    def make(body: str) -> Template:
        template = Template.objects.create(organization=cast.organization, name=f"Template {body[:20]}")
        template.current = TemplateVersion.objects.create(template=template, number=1, body=body)
        template.save()
        return template

    return make


@pytest.fixture
def draft(cast: Cast, connection: Connection) -> Callable[..., Broadcast]:
    """Make a draft to the given numbers, or to an audience of contacts."""

    def make(recipients: Given = (), body: str = "The depot is closed today.", **fields: Any) -> Broadcast:
        fields.setdefault("audience", "api")
        plan = Plan(name=fields.pop("name", "Depot"), body=body, **fields)
        broadcast = creating.create(cast.organization, plan=plan, actor=cast.admin)
        if recipients:
            given = [{"to": one} if isinstance(one, str) else one for one in recipients]
            creating.add_recipients(broadcast, given)
        return broadcast

    return make


@pytest.fixture
def checked(draft: Callable[..., Broadcast]) -> Callable[..., Broadcast]:
    def make(*args: Any, **fields: Any) -> Broadcast:
        broadcast = draft(*args, **fields)
        lifecycle.begin_check(broadcast)
        return run_check(broadcast)

    return make


@pytest.fixture
def running(cast: Cast, checked: Callable[..., Broadcast]) -> Callable[..., Broadcast]:
    def make(*args: Any, **fields: Any) -> Broadcast:
        broadcast = checked(*args, **fields)
        lifecycle.start(broadcast, actor=cast.admin)
        return broadcast

    return make
