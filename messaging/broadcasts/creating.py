"""Preparing a broadcast: what is to be said, to whom; and handing in recipients by the API."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import IntegrityError, transaction

from integrations.connections.models import Connection
from integrations.connections.selectors import default_connection
from integrations.organizations.audit import record
from integrations.organizations.models import Organization, User
from messaging.templates.models import Template
from messaging.templates.rendering import LONGEST_SOURCE, TemplateProblem, clean_text, parse

from . import lifecycle
from .models import Broadcast, RecipientBatch
from .problems import BroadcastProblem
from .safety import safe_to_send_again

MOST_RECIPIENTS = 1_000_000  # of one broadcast by the API
_Audience = Broadcast.Audience


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What somebody wants to send to many."""

    name: str
    audience: str
    template: Template | None = None
    body: str = ""
    purpose: str = Broadcast.Purpose.TRANSACTIONAL
    source: Mapping[str, Any] = field(default_factory=dict)
    connection: Connection | None = None
    includes_landlines: bool = False
    starts_when_clean: bool = False
    retry_of: Broadcast | None = None
    request_id: uuid.UUID | None = None


def create(
    organization: Organization,
    *,
    plan: Plan,
    actor: User | str | None,
    created_by_id: uuid.UUID | None = None,
    ip: str = "",
) -> Broadcast:
    """Store a draft; the same form sent twice gives the one that is there. Raises BroadcastProblem naming the field."""
    fields = _fields(organization, plan)
    try:
        with transaction.atomic():
            broadcast = Broadcast.objects.create(
                organization=organization,
                request_id=plan.request_id,
                retry_of=plan.retry_of,
                starts_when_clean=plan.starts_when_clean,
                created_by_id=actor.pk if isinstance(actor, User) else created_by_id,
                created_by_label=(actor.get_full_name() if isinstance(actor, User) else actor or "")[:200],
                **fields,
            )
            record(organization, actor=actor, action="broadcast.created", target=broadcast, ip=ip)
    except IntegrityError:
        known = Broadcast.objects.filter(organization=organization, request_id=plan.request_id).first()
        if plan.request_id is None or known is None:
            raise
        return known
    return broadcast


def change(broadcast: Broadcast, *, plan: Plan) -> None:
    """Change a broadcast that has not been started: it is a draft again, to be checked anew."""
    fields = _fields(broadcast.organization, plan)
    if not lifecycle.back_to_draft(broadcast, **fields, template_version=None):
        raise BroadcastProblem("broadcast_started", "The broadcast was started; it stays as it is.")


def add_recipients(
    broadcast: Broadcast, recipients: Sequence[Mapping[str, Any]], *, starts_when_clean: bool | None = None
) -> int:
    """Keep recipients that the API gave, behind those given before, and return the number of the first one's row.

    They are checked next. Raises BroadcastProblem once the broadcast was started.
    """
    with transaction.atomic():
        locked = Broadcast.objects.select_for_update(of=("self",)).select_related("organization").get(pk=broadcast.pk)
        if locked.audience != _Audience.API:
            raise BroadcastProblem("not_by_api", "The recipients of this broadcast were chosen on a page.")
        if locked.status not in lifecycle.UNSTARTED:
            raise BroadcastProblem("broadcast_started", "The broadcast was started; it takes no more recipients.")
        last = RecipientBatch.objects.filter(broadcast=locked).order_by("-first_row").first()
        first = last.first_row + last.count if last else 1
        if first + len(recipients) - 1 > MOST_RECIPIENTS:
            raise BroadcastProblem(
                "too_many", f"A broadcast has at most {MOST_RECIPIENTS:,} recipients.", field="recipients"
            )
        RecipientBatch.objects.create(
            broadcast=locked, first_row=first, count=len(recipients), recipients=list(recipients)
        )
        if starts_when_clean is not None:
            locked.starts_when_clean = starts_when_clean
            locked.save(update_fields=["starts_when_clean"])
        lifecycle.continue_check(locked, from_row=first - 1)
    return first


def send_again(broadcast: Broadcast, *, actor: User, ip: str = "") -> Broadcast:
    """Prepare a broadcast to those of another's failures that it is safe for, and check it; once for each broadcast."""
    if broadcast.status not in {Broadcast.Status.DONE, Broadcast.Status.CANCELED}:
        raise BroadcastProblem("not_over", "Wait until the broadcast has ended: some may still arrive.")
    with transaction.atomic():
        locked = Broadcast.objects.select_for_update().get(pk=broadcast.pk)
        standing = locked.retries.exclude(status=Broadcast.Status.CANCELED).first()
        if standing is not None:
            return standing
        if not safe_to_send_again(locked).exists():
            raise BroadcastProblem("nobody", "There is nobody left to whom it is safe to send it again.")
        again = create(
            locked.organization,
            plan=Plan(
                name=f"{locked.name[:105]} (again)",
                audience=_Audience.RETRY,
                template=locked.template,
                body=locked.body,
                purpose=locked.purpose,
                connection=locked.connection,
                includes_landlines=True,
                retry_of=locked,
            ),
            actor=actor,
            ip=ip,
        )
        lifecycle.begin_check(again, actor=actor)
    return again


def _fields(organization: Organization, plan: Plan) -> dict[str, Any]:
    name = " ".join(plan.name.split())
    if not name:
        raise BroadcastProblem("required", "Give the broadcast a name; only you see it.", field="name")
    body = "" if plan.template else clean_text(plan.body)
    if plan.template is None and plan.retry_of is None:
        _check_text(body)
    if plan.template is not None and plan.template.current is None:
        raise BroadcastProblem("empty", "The template has no text yet.", field="template")
    connection = plan.connection or default_connection(organization)
    return {
        "name": name[:120],
        "template": plan.template,
        "body": body,
        "purpose": plan.purpose,
        "audience": plan.audience,
        "source": dict(plan.source),
        "connection": connection,
        "sender": connection.sends_as if connection else "",
        "includes_landlines": plan.includes_landlines,
    }


def _check_text(body: str) -> None:
    if not body.strip():
        raise BroadcastProblem("empty", "Write the text, or choose a template.", field="body")
    if len(body) > LONGEST_SOURCE:
        raise BroadcastProblem("too_long", f"Write at most {LONGEST_SOURCE:,} characters.", field="body")
    try:
        parse(body)
    except TemplateProblem as problem:
        raise BroadcastProblem("bad_template", str(problem), field="body") from problem
