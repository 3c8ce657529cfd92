"""The life of an automation: drafted, published, paused, archived. Each change is in the audit log."""

from typing import Any

from django.db import transaction
from django.db.models.functions import Now

from integrations.clock import database_now
from integrations.identifiers import new_id
from integrations.organizations.audit import record
from integrations.organizations.models import Organization, User
from messaging.contacts.address_book import plain_line
from messaging.happenings.models import Listener

from .base import Problem
from .checking import problems_of
from .flow import Flow, FlowProblem, read
from .models import Automation, AutomationVersion, Run
from .registry import trigger_of
from .settling import let_go_all, stop_all
from .wake import call_quick

Status = Automation.Status

SENTENCES = {
    "automation.created": "made the automation {which}",
    "automation.renamed": "renamed the automation {old} to {new}",
    "automation.published": "published version {version} of the automation {which}",
    "automation.paused": "paused the automation {which}",
    "automation.resumed": "let the automation {which} go on",
    "automation.archived": "archived the automation {which}",
    "automation.limits_changed": "changed the limits of the automation {which}",
}


class AutomationProblem(Exception):
    """A change that cannot be made; the text is for the member. `problems` are what keeps it from being published."""

    def __init__(self, text: str, *, problems: list[Problem] | None = None) -> None:
        super().__init__(text)
        self.problems = problems or []


class ChangedMeanwhile(AutomationProblem):
    """The draft is another one than the page showed."""


class Unreadable(AutomationProblem):
    """A draft or a version that this version of the product cannot read, as one that a newer one wrote."""


def draft_of(automation: Automation) -> Flow:
    """Return the draft; raise Unreadable."""
    return read_kept(automation.draft, what="the draft")


def read_kept(stored: Any, *, what: str) -> Flow:
    """Return a flow that was kept; raise Unreadable with what to do."""
    try:
        return read(stored)
    except FlowProblem as problem:
        raise Unreadable(
            f"This version of Heliograph cannot read {what}. {problem} Under Versions, make one that it can read the "
            "draft again, or have Heliograph updated."
        ) from problem


def create(organization: Organization, *, name: str, flow: Flow | None = None, actor: User, ip: str = "") -> Automation:
    """Make a draft, empty or with what a recipe or a file brought; raise AutomationProblem for a name that is none."""
    with transaction.atomic():
        automation = Automation.objects.create(
            organization=organization,
            name=_name(name),
            draft=(flow or Flow()).as_json(),
            created_by_id=actor.pk,
        )
        record(organization, actor=actor, action="automation.created", target=automation, ip=ip)
    return automation


def rename(automation: Automation, *, name: str, actor: User, ip: str = "") -> None:
    """Call it otherwise."""
    former, automation.name = automation.name, _name(name)
    if automation.name != former:
        with transaction.atomic():
            automation.save(update_fields=["name", "updated_at"])
            record(
                automation.organization,
                actor=actor,
                action="automation.renamed",
                target=automation,
                changes={"name": [former, automation.name]},
                ip=ip,
            )


def save_draft(automation: Automation, flow: Flow, *, based_on: int) -> int:
    """Keep a changed draft and return its number; raise ChangedMeanwhile where the page showed an older one."""
    saved = (
        Automation.objects.filter(pk=automation.pk, draft_number=based_on)
        .exclude(status=Status.ARCHIVED)
        .update(draft=flow.as_json(), draft_number=based_on + 1, updated_at=Now())
    )
    if not saved:
        raise ChangedMeanwhile("Somebody changed this automation meanwhile. Load the page again; nothing was saved.")
    automation.draft, automation.draft_number = flow.as_json(), based_on + 1
    return automation.draft_number


def publish(automation: Automation, *, shown: int | None = None, actor: User, ip: str = "") -> AutomationVersion:
    """Make the draft the version that runs from now on; raise AutomationProblem with all that it lacks.

    `shown` is the number of the draft that the member saw: nobody publishes what somebody else writes at this moment.
    """
    with transaction.atomic():
        locked = _locked(automation)
        if shown is not None and locked.draft_number != shown:
            raise ChangedMeanwhile("Somebody changed it meanwhile. Nothing was published: look at what it is now.")
        flow = draft_of(locked)
        problems = problems_of(locked.organization, flow, automation=locked)
        if problems:
            raise AutomationProblem("Some steps are not ready yet.", problems=problems)
        newest = AutomationVersion.objects.filter(automation=locked, number__gt=0).order_by("-number").first()
        version = AutomationVersion.objects.create(
            automation=locked,
            number=newest.number + 1 if newest else 1,
            flow=flow.as_json(),
            published_by_id=actor.pk,
        )
        was_paused = locked.status == Status.PAUSED
        former = _flow_of(locked.live) if locked.live is not None and locked.status == Status.LIVE else Flow()
        locked.live, locked.status, locked.published_at = version, Status.LIVE, database_now()
        # What came due in the very second of publishing is not lost by it.
        _listen(
            locked, flow, looks_on=(former.trigger, former.trigger_settings) == (flow.trigger, flow.trigger_settings)
        )
        locked.save(update_fields=["live", "status", "published_at", "next_look_at", "looked_until", "updated_at"])
        if was_paused:
            let_go_all(locked, actor=actor)
        record(
            locked.organization,
            actor=actor,
            action="automation.published",
            target=locked,
            changes={"version": version.number},
            ip=ip,
        )
    automation.refresh_from_db()
    return version


def pause(automation: Automation, *, actor: User, ip: str = "") -> bool:
    """Begin nothing and carry on nothing until it is resumed; False where it does not run.

    Runs that wait are put aside by the engine when they come due: a hundred thousand of them would keep whoever wants
    it to stop waiting for half a minute.
    """
    with transaction.atomic():
        locked = _locked(automation)
        if locked.status != Status.LIVE:
            return False
        locked.status, locked.next_look_at = Status.PAUSED, None
        locked.save(update_fields=["status", "next_look_at", "updated_at"])
        Listener.objects.filter(owner=locked.pk).delete()
        record(locked.organization, actor=actor, action="automation.paused", target=locked, ip=ip)
    automation.refresh_from_db()
    return True


def resume(automation: Automation, *, actor: User, ip: str = "") -> bool:
    """Go on with the version that ran; what happened in between has set nothing off. False where it is not paused.

    Raises Unreadable.
    """
    with transaction.atomic():
        locked = _locked(automation)
        if locked.status != Status.PAUSED or locked.live is None:
            return False
        locked.status = Status.LIVE
        _listen(locked, read_kept(locked.live.flow, what="what was published"))
        locked.save(update_fields=["status", "next_look_at", "looked_until", "updated_at"])
        let_go_all(locked, actor=actor)
        record(locked.organization, actor=actor, action="automation.resumed", target=locked, ip=ip)
    automation.refresh_from_db()
    return True


def archive(automation: Automation, *, actor: User, ip: str = "") -> int:
    """End it for good, and the runs that wait; return how many those were. What it did stays to be looked at."""
    with transaction.atomic():
        locked = _locked(automation)
        if locked.status == Status.ARCHIVED:
            return 0
        locked.status, locked.next_look_at = Status.ARCHIVED, None
        locked.save(update_fields=["status", "next_look_at", "updated_at"])
        Listener.objects.filter(owner=locked.pk).delete()
        stopped = stop_all(locked, actor=actor)
        record(locked.organization, actor=actor, action="automation.archived", target=locked, ip=ip)
    automation.refresh_from_db()
    return stopped


def duplicate(automation: Automation, *, actor: User, ip: str = "") -> Automation:
    """Make a draft like this one."""
    copy = create(
        automation.organization,
        name=f"{automation.name[:110]} (copy)",
        flow=draft_of(automation),
        actor=actor,
        ip=ip,
    )
    copy.cap_count, copy.cap_hours, copy.per_minute = automation.cap_count, automation.cap_hours, automation.per_minute
    copy.save(update_fields=["cap_count", "cap_hours", "per_minute"])
    return copy


def set_limits(
    automation: Automation,
    *,
    cap_count: int | None,
    cap_hours: int,
    per_minute: int | None,
    actor: User,
    ip: str = "",
) -> None:
    """Say how often one number may set it off, and how many runs begin in a minute."""
    automation.cap_count, automation.cap_hours, automation.per_minute = cap_count, cap_hours, per_minute
    with transaction.atomic():
        automation.save(update_fields=["cap_count", "cap_hours", "per_minute", "updated_at"])
        record(automation.organization, actor=actor, action="automation.limits_changed", target=automation, ip=ip)


def begin_test(
    automation: Automation,
    *,
    data: dict[str, Any],
    phone: str = "",
    contact_id: Any = None,
    contact: dict[str, Any] | None = None,
) -> Run:
    """Try the draft with sample data, the trigger's fields: nothing leaves but to the sandbox.

    `contact` are the fields of a contact that there is not.

    Raises AutomationProblem while the draft lacks things.
    """
    flow = draft_of(automation)
    problems = problems_of(automation.organization, flow, automation=automation)
    if problems:
        raise AutomationProblem("Some steps are not ready yet.", problems=problems)
    with transaction.atomic():
        version = AutomationVersion.objects.create(automation=automation, number=0, flow=flow.as_json())
        run = Run.objects.create(
            organization=automation.organization,
            automation=automation,
            version=version,
            key=f"test-{new_id()}",
            contact_id=contact_id,
            phone=phone,
            data={"trigger": data, "nodes": {}, **({"contact": contact} if contact else {})},
            is_test=True,
            position=flow.first,
            due_at=database_now(),
        )
        transaction.on_commit(call_quick)
    return run


def _listen(automation: Automation, flow: Flow, *, looks_on: bool = False) -> None:
    """Hear from now on what the trigger listens to, and nothing else; it looks on from where it had looked, or anew."""
    trigger = trigger_of(flow.trigger)
    kinds = set(trigger.kinds) if trigger is not None else set()
    Listener.objects.filter(owner=automation.pk).exclude(kind__in=kinds).delete()
    Listener.objects.bulk_create(
        [Listener(organization=automation.organization, kind=kind, owner=automation.pk) for kind in sorted(kinds)],
        ignore_conflicts=True,
    )
    now = database_now()
    automation.looked_until = automation.looked_until if looks_on and automation.looked_until else now
    automation.next_look_at = None
    if trigger is not None and trigger.looks:
        automation.next_look_at = trigger.next_look(automation, flow.trigger_settings, now=now)


def _flow_of(version: AutomationVersion) -> Flow:
    """Return what a version does; an empty flow where it cannot be read any more, and is to be replaced."""
    try:
        return read(version.flow)
    except FlowProblem:
        return Flow()


def _locked(automation: Automation) -> Automation:
    locked = Automation.objects.select_for_update(of=("self",), no_key=True)
    return locked.select_related("organization", "live").get(pk=automation.pk)


def _name(name: str) -> str:
    name = plain_line(name)[:120]
    if not name:
        raise AutomationProblem("Give the automation a name.")
    return name
