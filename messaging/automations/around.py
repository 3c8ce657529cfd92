"""What runs hang into other rooms: their place on a contact's page, what is forgotten, counted and shown."""

from django.urls import reverse

from integrations.organizations.audit_sentences import register_sentences
from integrations.organizations.models import Member
from integrations.organizations.registry import Writer, register_writers
from messaging.contacts.erasure.erasers import register_eraser
from messaging.contacts.timeline import register_timeline_source
from messaging.demo import register_demo_part
from messaging.retention.kept import register_kept

from . import forgetting, retrying
from .demo import make_demo_automation
from .display import flow_of
from .erasing import forget_runs
from .figures import register_figures
from .nodes.sending.members import MemberSource, writes_to
from .selectors import published_with
from .story import runs_of


def register_around() -> None:
    """Register timeline, retention, erasure, sentences and figures of runs, and the demo's automation."""
    for room in (forgetting, retrying):
        register_sentences(room.SENTENCES)
    register_kept(forgetting.KEPT)
    register_timeline_source("automations", runs_of)
    # Before the messages, by which some of it is found, are emptied.
    register_eraser("runs of automations that are kept without the person", forget_runs)
    register_figures()
    register_demo_part(make_demo_automation)
    register_writers(writers_of)


def writers_of(member: Member) -> list[Writer]:
    """Return the automations, live or paused, of which a step writes to the member."""
    rows = published_with(member.organization, f'"to": "{MemberSource.key}"')
    return [
        Writer(f"the automation “{row.name}”", reverse("automations:build", args=[row.pk]))
        for row in rows
        if any(writes_to(spec.settings, member) for spec in flow_of(row.live).walk())
    ]
