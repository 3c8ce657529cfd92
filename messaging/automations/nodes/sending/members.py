"""Members as recipients of a step: everybody, those with a role, certain ones; whoever of them has a number by then.

A setting holds roles and ids side by side. A file of an automation takes roles along and leaves the ids behind.
"""

import uuid
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence, Set
from datetime import datetime

from django import forms
from django.db.models import Q, QuerySet

from integrations.organizations.models import Member, Organization, as_uuid
from integrations.organizations.roles import Role
from integrations.organizations.selectors import members_of
from messaging.automations.base import NodeFailed, Scope, Settings, Step

from .sources import MOST, Recipient, Slice, Source

EVERYBODY = "all"
_MOST_NAMED = 3
_GONE = "Somebody who was chosen has left the organization. Choose again."


class MemberSource(Source):
    """The organization's own people, at the numbers that they have in it."""

    key, title = "members", "Members of your organization"

    def fields(self, scope: Scope) -> Mapping[str, forms.Field]:
        return {
            "members": forms.MultipleChoiceField(
                label="Which members",
                required=False,
                choices=_offered(_members(scope)),
                widget=forms.CheckboxSelectMultiple,
                error_messages={"invalid_choice": _GONE},
                help_text="Each once, whichever lines fit. Numbers are written down under Members.",
            )
        }

    def problems(self, scope: Scope, settings: Settings) -> Iterable[tuple[str, str]]:
        chosen = _chosen(settings)
        if not chosen:
            yield "members", "Choose everybody, a role, or at least one member."
        elif not any(_is_reached(row) and _is_meant(row, chosen) for row in _members(scope)):
            yield "members", "None of them has a number yet. Write one down under Members, or choose others."

    def describe(self, scope: Scope, settings: Settings) -> str:
        chosen = _chosen(settings)
        if EVERYBODY in chosen:
            return "all members"
        names = [f"{label.lower()}s" for role, label in Role.choices if role in chosen]
        names += [str(row.user) for row in _members(scope) if str(row.pk) in chosen]
        more = len(names) - _MOST_NAMED
        shown = ", ".join(names[:_MOST_NAMED]) or "…"
        return f"the members: {shown}{f' and {more} more' if more > 0 else ''}"

    def count(self, step: Step) -> int:
        rows = _meant(step.organization, step.settings)
        found = len(_reached(rows).order_by().values_list("phone").distinct()[: MOST + 1])
        if not found:
            if not rows.exists():
                raise NodeFailed(
                    "recipients_gone",
                    "Nobody who was chosen belongs to the organization any more. Choose members anew, and publish.",
                )
            raise NodeFailed("no_member_number", f"There is nobody to write to. {self.note(step)} Then try again.")
        return found

    def read(self, step: Step, *, after: str, until: datetime, most: int) -> Slice:
        rows = _reached(_meant(step.organization, step.settings)).filter(created_at__lte=until)
        rows = rows.select_related("user").order_by("pk")
        if after:
            rows = rows.filter(pk__gt=uuid.UUID(after))
        found = list(rows[:most])
        recipients = [Recipient(member.phone, name=member.user.name) for member in found]
        return Slice(recipients, str(found[-1].pk) if len(found) == most else "")

    def note(self, step: Step) -> str:
        rows = list(_meant(step.organization, step.settings).select_related("user"))
        silent = sum(1 for row in rows if row.user.is_active and not row.phone)
        shut = sum(1 for row in rows if not row.user.is_active)
        gone = len(_ids(_chosen(step.settings)) - {row.pk for row in rows})
        said = (
            (silent, "has no number: write it down under Members", "have no number: write them down under Members"),
            (shut, "may not sign in, and is left out", "may not sign in, and are left out"),
            (gone, "has left the organization: choose again, and publish",
             "have left the organization: choose again, and publish"),
        )  # fmt: skip
        return " ".join(_say(count, one, many) for count, one, many in said if count)


def writes_to(settings: Settings, member: Member) -> bool:
    """Tell whether a step with these settings means the member, whether or not there is a number."""
    return settings.get("to") == MemberSource.key and _is_meant(member, _chosen(settings))


def _members(scope: Scope) -> list[Member]:
    return scope.once("members", lambda: list(members_of(scope.organization)))


def _say(count: int, one: str, many: str) -> str:
    return f"1 member {one}." if count == 1 else f"{count:,} members {many}."


def _chosen(settings: Settings) -> set[str]:
    chosen = settings.get("members")
    return {one for one in chosen if isinstance(one, str)} if isinstance(chosen, list) else set()


def _ids(chosen: Iterable[str]) -> set[uuid.UUID]:
    return {key for one in chosen if (key := as_uuid(one)) is not None}


def _is_meant(member: Member, chosen: Set[str]) -> bool:
    return not chosen.isdisjoint({EVERYBODY, member.role, str(member.pk)})


def _is_reached(member: Member) -> bool:
    return bool(member.phone) and member.user.is_active


def _meant(organization: Organization, settings: Settings) -> QuerySet[Member]:
    chosen = _chosen(settings)
    rows = Member.objects.filter(organization=organization)
    return rows if EVERYBODY in chosen else rows.filter(Q(role__in=chosen) | Q(pk__in=_ids(chosen)))


def _reached(rows: QuerySet[Member]) -> QuerySet[Member]:
    return rows.filter(user__is_active=True).exclude(phone="")


def _offered(rows: Sequence[Member]) -> list[tuple[str, str]]:
    roles = [(role, _counted(f"{label}s", [row for row in rows if row.role == role])) for role, label in Role.choices]
    names = Counter(row.user.name for row in rows)
    people = [(str(row.pk), _named(row, is_alone=names[row.user.name] == 1)) for row in rows]
    return [(EVERYBODY, _counted("Everybody", rows)), *roles, *people]


def _counted(words: str, rows: Sequence[Member]) -> str:
    reached = sum(1 for row in rows if _is_reached(row))
    return f"{words} ({reached:,} of {len(rows):,} with a number)" if rows else f"{words} (nobody at present)"


def _named(row: Member, *, is_alone: bool) -> str:
    """Return the name, with the address where somebody else has the same name, and why they would get nothing."""
    who = str(row.user) if is_alone or not row.user.name else f"{row.user.name}, {row.user.email}"
    missing = "may not sign in" if not row.user.is_active else "no number" if not row.phone else ""
    return f"{who} ({missing})" if missing else who
