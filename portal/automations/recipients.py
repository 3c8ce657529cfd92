"""The people of a portal as recipients of a step. What they wish is kept as opt-outs, which the outbox knows."""

import uuid
from collections.abc import Iterable, Mapping
from datetime import datetime

from django import forms
from django.db.models import QuerySet

from messaging.automations.base import Scope, Settings, Step
from messaging.automations.nodes.picking import choice, name_in
from messaging.automations.nodes.sending.sources import MOST, Recipient, Slice, Source
from portal.accounts.models import PortalUser

from .choosing import PORTAL_GONE, ROLE_ELSEWHERE, ROLE_GONE, is_role_elsewhere, need_portal, need_role, portals, roles


class PortalSource(Source):
    """Everybody who is in a portal, or has a role there, at the moment the step is done."""

    key, title = "portal", "Users of a portal"

    def is_offered(self, scope: Scope) -> bool:
        return bool(portals(scope))

    def fields(self, scope: Scope) -> Mapping[str, forms.Field]:
        return {
            "of_portal": choice("Which portal", portals(scope), empty="Choose a portal", gone=PORTAL_GONE),
            "of_role": choice("With which role", roles(scope), empty="Everybody who is in", gone=ROLE_GONE),
        }

    def problems(self, scope: Scope, settings: Settings) -> Iterable[tuple[str, str]]:
        if not settings.get("of_portal"):
            yield "of_portal", "Choose the portal."
        elif is_role_elsewhere(scope, settings, portal="of_portal", role="of_role"):
            yield "of_role", ROLE_ELSEWHERE

    def describe(self, scope: Scope, settings: Settings) -> str:
        role = name_in(roles(scope), settings.get("of_role"))
        return f"users of the portal {role or name_in(portals(scope), settings.get('of_portal')) or '…'}"

    def count(self, step: Step) -> int:
        return len(self._rows(step).values_list("pk")[: MOST + 1])

    def read(self, step: Step, *, after: str, until: datetime, most: int) -> Slice:
        rows = self._rows(step).filter(created_at__lte=until).select_related("contact").order_by("pk")
        if after:
            rows = rows.filter(pk__gt=uuid.UUID(after))
        found = list(rows[:most])
        recipients = [Recipient(user.phone, user.contact, user.name) for user in found]
        return Slice(recipients, str(found[-1].pk) if len(found) == most else "")

    def _rows(self, step: Step) -> QuerySet[PortalUser]:
        portal = need_portal(step, setting="of_portal")
        rows = PortalUser.objects.filter(portal=portal, status=PortalUser.Status.ACTIVE).exclude(phone="")
        role = need_role(step, portal, setting="of_role")
        return rows.filter(role=role) if role is not None else rows
