"""Changing the organization's rules of consent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from integrations.connections.models import Connection
from integrations.organizations.audit import record
from integrations.organizations.models import Organization, User

from .answering import Rule, who_answers
from .keywords import Asked
from .models import ConsentPolicy
from .policy import policy_of


@dataclass(frozen=True)
class SenderLine:
    """A sender of the organization and who answers a STOP to it."""

    sender: str
    connection: str
    rule: Rule


def change_policy(organization: Organization, *, values: Mapping[str, Any], actor: User, ip: str = "") -> list[str]:
    """Set the policy and return the names of what changed; the audit log has them, without the texts."""
    with transaction.atomic():
        Organization.objects.select_for_update(no_key=True).get(pk=organization.pk)
        policy = policy_of(organization)
        changed = [name for name, value in values.items() if getattr(policy, name) != value]
        if not changed and not policy._state.adding:
            return []
        for name in changed:
            setattr(policy, name, values[name])
        policy.save()
        if changed:
            record(
                organization,
                actor=actor,
                action="consent_policy.changed",
                target=policy,
                changes={"fields": ", ".join(sorted(changed))},
                ip=ip,
            )
    return changed


def senders_of(organization: Organization, policy: ConsentPolicy) -> list[str]:
    """Return the senders that a policy may speak about: those of the connections, and those it speaks about already."""
    rows = Connection.objects.filter(organization=organization).exclude(status=Connection.Status.DISCONNECTED)
    known = [sender for row in rows for sender in (row.messaging_service_sid, row.sender) if sender]
    return list(dict.fromkeys([*known, *policy.sender_answers]))


def who_answers_whom(organization: Organization, policy: ConsentPolicy) -> Sequence[SenderLine]:
    """Return, for each sender, who answers a STOP to it and why."""
    asked = Asked("stop", "stop", is_twilios=True)
    names = {}
    for row in Connection.objects.filter(organization=organization):
        names.update({row.messaging_service_sid: row.name, row.sender: row.name})
    lines = []
    for sender in senders_of(organization, policy):
        is_service = sender.startswith("MG")
        # A number of the service stands for all of them; short codes in it follow the rule of short codes.
        rule = who_answers(
            policy, asked=asked, ours="+" if is_service else sender, service=sender if is_service else ""
        )
        lines.append(SenderLine(sender=sender, connection=names.get(sender, ""), rule=rule))
    return lines
