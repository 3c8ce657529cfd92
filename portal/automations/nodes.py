"""Steps of the portal wing: invite, approve or reject, notify. Each is a verb of the wing's, done with the run."""

import uuid
from collections import Counter
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from django.db import transaction

from integrations.organizations.models import as_uuid
from integrations.phones import PhoneProblem, parse_phone
from messaging.automations.base import Again, Done, Node, NodeFailed, Outcome, Scope, Settings, SettingsForm, Step
from messaging.automations.fields import Field, Type, look_up
from messaging.automations.models import RunMessage
from messaging.automations.nodes.contact_changes import actor_of
from messaging.automations.nodes.picking import choice, known_fields, name_in, text_with_variables
from messaging.automations.nodes.sending.sources import (
    MOST,
    Recipient,
    Source,
    forget_other_sources,
    number_in,
    recipient_fields,
    source_of,
    the_contact,
)
from messaging.consent.blocking import OPTED_OUT
from portal.accounts import invitations, notifying, people
from portal.accounts.models import Portal, PortalInvitation, PortalNotification, PortalSending, PortalUser
from portal.forms.public.languages import LANGUAGES

from .choosing import (
    PORTAL_GONE,
    ROLE_ELSEWHERE,
    ROLE_GONE,
    is_role_elsewhere,
    need_portal,
    need_role,
    portal_chosen,
    portals,
    roles,
)

SLICE = 50
# What is so of the person and may well be: the run goes on and knows of it.
_SOFT = frozenset({OPTED_OUT, "already_invited", "already_active", "already_waiting", "already_suspended"})
# What is wrong with the portal or the way, and not with one person.
_OF_THE_WAY = frozenset({
    "portal_off", "unknown_role", "unknown_language", "connection_broken", "no_sender", "not_connected", "suspended",
    "bad_text",
})  # fmt: skip


class InviteForm(SettingsForm):
    """Whom, to which portal, as what."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        scope = self.scope
        self.fields["portal"] = choice(
            "Portal", portals(scope), empty="Choose a portal", gone=PORTAL_GONE, required=True
        )
        self.fields["portal"].widget.attrs["data-reload"] = "yes"
        self.fields["role"] = choice("Role", roles(scope), empty="The portal’s usual one", gone=ROLE_GONE)
        self.fields["language"] = choice(
            "Language", _languages(scope, self.data.get("portal")), empty="As their contact has it, else the first",
            gone="The portal does not speak this language. Choose another one.",
        )  # fmt: skip
        self.fields.update(recipient_fields(scope))
        self.fields["name"] = text_with_variables("Name", max_length=120, help_text="Empty: as their contact has it.")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        source = source_of(cleaned.get("to"))
        found = list(source.problems(self.scope, cleaned)) if source is not None else []
        if is_role_elsewhere(self.scope, cleaned):
            found.append(("role", ROLE_ELSEWHERE))
        self.add_problems(found)
        return cleaned

    def to_settings(self) -> dict[str, Any]:
        return forget_other_sources(super().to_settings(), self.scope)


class InviteNode(Node):
    """Invites to a portal: each number once, however often the step is tried."""

    key = "portal_invite"
    title = "Invite external users"
    text = "Invite one person or many to a portal, by SMS."
    icon = "person_add"
    group = "Portals"
    form = InviteForm

    def fields(self, scope: Scope, settings: Settings) -> list[Field]:
        at = f"{scope.node_id}."
        return [
            Field(f"{at}status", "Invitation: status (of the first)", Type.CHOICE, "invited", ("invited", "refused")),
            Field(f"{at}reason", "Invitation: why not", Type.TEXT, "already_active"),
            Field(f"{at}count", "Invitation: how many are invited", Type.NUMBER, 1),
            Field(f"{at}refused", "Invitation: how many are not", Type.NUMBER, 0),
        ]

    def problems(self, scope: Scope, settings: Settings) -> Iterable[str]:
        portal = portal_chosen(scope.organization, settings.get("portal"))
        if portal is not None and not portal.is_on:
            yield f"The portal {portal.name} is switched off, so links would lead nowhere. Switch it on first."

    def describe(self, scope: Scope, settings: Settings) -> str:
        source = source_of(settings.get("to"))
        who = source.describe(scope, settings) if source is not None else "people"
        portal = name_in(portals(scope), settings.get("portal")) or "…"
        return f"Invite {who[:1].lower() + who[1:]} to the portal {portal}"

    def run(self, step: Step) -> Outcome:
        source, portal = _source(step), need_portal(step)
        memory = step.memory
        total = int(memory["total"]) if "total" in memory else source.count(step)
        if total > MOST:
            raise NodeFailed("too_many", f"A step invites at most {MOST:,} people, and here are more.")
        until = datetime.fromisoformat(memory["until"]) if "until" in memory else step.now
        found = source.read(step, after=str(memory.get("cursor", "")), until=until, most=SLICE)
        role, language = need_role(step, portal), str(step.settings.get("language") or "")
        step.shown = {"portal": portal.name, "invited": "1 person" if total == 1 else f"{total:,} people"}
        is_one, name = source.is_for_one(step), step.text("name") if step.settings.get("name") else ""
        for recipient in found.recipients:
            _invite(step, portal, recipient, role=role, language=language, name=name, is_one=is_one)
        if found.cursor:
            memory.update(total=total, until=until.isoformat(), cursor=found.cursor)
            return Again()
        return Done(_output(step), note=source.note(step))

    def rehearse(self, step: Step) -> Outcome:
        source, portal = _source(step), need_portal(step)
        need_role(step, portal)
        total = 1 if source.is_one else source.count(step)
        step.shown = {"portal": portal.name, "in this test": f"nobody is invited; it would be {total:,}"}
        return Done({"status": "invited", "reason": "", "count": total, "refused": 0}, note=source.note(step))


class DecideForm(SettingsForm):
    """Approve or reject, and whom."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        scope = self.scope
        decisions = [("approve", "Approve"), ("reject", "Reject")]
        self.fields["decision"] = choice("Do", decisions, required=True)
        self.fields["portal"] = choice(
            "Portal", portals(scope), empty="The portal of the trigger", gone=PORTAL_GONE,
            help_text="Choose one where the trigger is none of a portal.",
        )  # fmt: skip
        self.fields["field"] = choice(
            "Their number", known_fields(scope, Type.PHONE), empty="The number of the contact or the trigger",
            gone="This field is not known here any more. Choose another one.",
        )  # fmt: skip
        self.fields["reason"] = text_with_variables(
            "Reason", max_length=300, when="decision=reject", help_text="They read it in the SMS."
        )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not cleaned.get("portal") and self.scope.field("trigger.portal_user_id") is None and not self.errors:
            self.add_error("portal", "Choose the portal: this trigger is none of a portal.")
        return cleaned


class DecideNode(Node):
    """Lets somebody in who waits for approval, or turns them away."""

    key = "portal_decide"
    title = "Approve or reject portal user"
    text = "Decide about somebody who waits for approval."
    icon = "how_to_reg"
    group = "Portals"
    form = DecideForm

    def fields(self, scope: Scope, settings: Settings) -> list[Field]:
        at = f"{scope.node_id}."
        return [
            Field(f"{at}status", "Portal user: status now", Type.CHOICE, "active", tuple(PortalUser.Status.values)),
            Field(f"{at}changed", "Portal user: decided by this step", Type.YES_NO, True),
        ]

    def describe(self, scope: Scope, settings: Settings) -> str:
        portal = name_in(portals(scope), settings.get("portal"))
        verb = "Reject" if settings.get("decision") == "reject" else "Approve"
        return f"{verb} the user of {f'the portal {portal}' if portal else 'the portal'}"

    def run(self, step: Step) -> Outcome:
        user = _user_of(step)
        reason = step.text("reason") if step.settings.get("reason") else ""
        step.shown = {"person": str(user), "portal": user.portal.name}
        if step.settings.get("decision") == "reject":
            changed = people.reject([user], reason=reason, actor=actor_of(step))
        else:
            changed = people.approve([user], actor=actor_of(step))
        return Done({"status": str(user.status), "changed": bool(changed)})

    def rehearse(self, step: Step) -> Outcome:
        status = "rejected" if step.settings.get("decision") == "reject" else "active"
        step.shown = {"in this test": f"nobody is decided about; they would be {status}"}
        return Done({"status": status, "changed": False})


class NotifyForm(SettingsForm):
    """What to write to whom of a portal."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offered = portals(self.scope)
        self.fields["portal"] = choice("Portal", offered, empty="Choose a portal", gone=PORTAL_GONE, required=True)
        self.fields["role"] = choice("Role", roles(self.scope), empty="Everybody who is in", gone=ROLE_GONE)
        self.fields["text"] = text_with_variables(
            "Text", rows=4, required=True, max_length=notifying.LONGEST, strip=False
        )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if is_role_elsewhere(self.scope, cleaned):
            self.add_error("role", ROLE_ELSEWHERE)
        return cleaned


class NotifyNode(Node):
    """Sends a notification of the portal, in the portal's words; a step sends one, however often it is tried."""

    key = "portal_notify"
    title = "Notify portal users"
    text = "Write to all users of a portal, or to a role, in the portal’s words."
    icon = "campaign"
    group = "Portals"
    form = NotifyForm

    def fields(self, scope: Scope, settings: Settings) -> list[Field]:
        return [
            Field(f"{scope.node_id}.notification_id", "Notification: its id", Type.TEXT, "0197c3f0"),
            Field(f"{scope.node_id}.count", "Notification: how many people", Type.NUMBER, 12),
        ]

    def describe(self, scope: Scope, settings: Settings) -> str:
        who = name_in(roles(scope), settings.get("role")) or name_in(portals(scope), settings.get("portal")) or "…"
        return f"Notify the users of {who}"

    def run(self, step: Step) -> Outcome:
        portal, plan = _plan(step)
        count = notifying.recipients_of(portal, plan).count()
        if not count:
            return Done({"notification_id": "", "count": 0})
        try:
            row = notifying.send(
                portal, plan, request_id=step.id, source=PortalInvitation.Source.AUTOMATION, actor=None
            )
        except notifying.NotificationRefused as refused:
            raise NodeFailed("notification_refused", refused.detail) from refused
        return Done({"notification_id": str(row.pk), "count": count})

    def rehearse(self, step: Step) -> Outcome:
        portal, plan = _plan(step)
        count = notifying.recipients_of(portal, plan).count()
        step.shown["in this test"] = f"nobody is notified; it would be {count:,}"
        return Done({"notification_id": "", "count": count})


def steps_that_notified(message_ids: Collection[str]) -> dict[uuid.UUID, uuid.UUID]:
    """Return the steps whose notifications these messages are part of: a notification has its step's id."""
    ids = [uuid.UUID(one) for one in message_ids]
    rows = PortalSending.objects.filter(message__in=ids, notification__source=PortalInvitation.Source.AUTOMATION)
    return dict(rows.values_list("message_id", "notification_id"))


def _invite(
    step: Step, portal: Portal, recipient: Recipient, *, role: Any, language: str, name: str, is_one: bool
) -> None:
    """Invite one, or write down why not; whoever stands in the step's list already is left out."""
    try:
        key = parse_phone(recipient.to, region=step.organization.default_region).e164
    except PhoneProblem as problem:
        if is_one:
            raise NodeFailed(problem.code, f"{problem.message} See where the number comes from.") from problem
        _write_down(step, f"?{recipient.to}"[:80], reason=problem.code, detail=problem.message)
        return
    kept = RunMessage.objects.filter(step=step.id, key=key).first()
    if kept is not None and not kept.reason:
        return
    try:
        with transaction.atomic():
            invitation = invitations.invite(
                portal,
                phone=key,
                name=name or recipient.name,
                role=role,
                language=language,
                source=PortalInvitation.Source.AUTOMATION,
                actor=actor_of(step),
            )
    except invitations.InvitationRefused as refused:
        if refused.code in _OF_THE_WAY or (is_one and refused.code not in _SOFT):
            raise NodeFailed(refused.code, refused.detail) from refused
        _write_down(step, key, reason=refused.code, detail=refused.detail)
        return
    sent = PortalSending.objects.filter(user=invitation.user).order_by("-id").first()
    _write_down(step, key, message=sent.message if sent is not None else None)


def _write_down(step: Step, key: str, *, message: Any = None, reason: str = "", detail: str = "") -> None:
    values = {"run": step.run, "message": message, "reason": reason[:40], "detail": detail[:500]}
    RunMessage.objects.update_or_create(step_id=step.id, key=key, defaults=values)


def _output(step: Step) -> dict[str, Any]:
    rows = list(RunMessage.objects.filter(step=step.id).order_by("id").values_list("reason", flat=True))
    counts = Counter("refused" if reason else "count" for reason in rows)
    first = rows[0] if rows else "nobody"
    return {
        "status": "refused" if first else "invited",
        "reason": first,
        "count": counts["count"],
        "refused": counts["refused"],
    }


def _source(step: Step) -> Source:
    source = source_of(step.settings.get("to"))
    if source is None:
        raise NodeFailed("no_recipients", "This version does not know whom to invite. Choose others, and publish.")
    return source


def _user_of(step: Step) -> PortalUser:
    """Return the person whom the step is about: of the trigger, or by their number; raise NodeFailed."""
    rows = PortalUser.objects.filter(portal__organization=step.organization).select_related(
        "portal__organization", "portal__form", "contact", "role"
    )
    if step.settings.get("portal"):
        rows = rows.filter(portal=need_portal(step))
        field = str(step.settings.get("field") or "")
        raw = number_in(step, field) if field else the_contact(step).to
        try:
            phone = parse_phone(raw, region=step.organization.default_region).e164
        except PhoneProblem as problem:
            raise NodeFailed(problem.code, f"{problem.message} See where the number comes from.") from problem
        user = rows.filter(phone=phone).first()
    else:
        key = as_uuid(look_up(step.values, "trigger.portal_user_id"))
        user = rows.filter(pk=key).first() if key else None
    if user is None:
        raise NodeFailed(
            "no_portal_user", "Nobody with this number is known to the portal (any more). Nothing was decided."
        )
    return user


def _plan(step: Step) -> tuple[Portal, notifying.Plan]:
    portal = need_portal(step)
    role, text = need_role(step, portal), step.text("text")
    audience = PortalNotification.Audience.ROLE if role is not None else PortalNotification.Audience.ALL
    step.shown = {"portal": portal.name, "to": str(role or "everybody"), "text": text[:500]}
    return portal, notifying.Plan(audience=audience, text=text, role=role)


def _languages(scope: Scope, portal_id: object) -> list[tuple[str, str]]:
    """Return the languages that the chosen portal speaks."""
    portal = portal_chosen(scope.organization, portal_id)
    codes = portal.form.languages if portal is not None else []
    return [(code, LANGUAGES[code].name if code in LANGUAGES else code) for code in codes]
