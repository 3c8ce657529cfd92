"""What those who ask for codes are called on pages. Forms and portals are above this room: they register themselves."""

import uuid
from collections.abc import Callable, Iterable, Mapping

from integrations.organizations.models import ApiKey, Organization, User

from .models import Verification

Kind = Verification.AskerKind
# From ids of the organization's to their names; ids that are not its own, or not there any more, are left out.
NameSource = Callable[[Organization, Iterable[uuid.UUID]], Mapping[uuid.UUID, str]]
_sources: dict[str, NameSource] = {}


def register_asker_names(kind: str, source: NameSource) -> None:
    """Let an upper room name its forms or portals; use it in `AppConfig.ready()`."""
    _sources[kind] = source


def asker_names(
    organization: Organization, askers: Iterable[tuple[str, uuid.UUID | None]]
) -> dict[tuple[str, uuid.UUID | None], str]:
    """Return how to call each of these, given as kind and id: “Public form Sign-up”, or the kind alone."""
    wanted = set(askers)
    by_kind: dict[str, list[uuid.UUID]] = {}
    for kind, asker_id in wanted:
        if asker_id is not None:
            by_kind.setdefault(kind, []).append(asker_id)
    found = {kind: _sources[kind](organization, ids) for kind, ids in by_kind.items() if kind in _sources}
    return {
        (kind, asker_id): " ".join(
            part for part in (_label(kind), found.get(kind, {}).get(asker_id, "") if asker_id else "") if part
        )
        for kind, asker_id in wanted
    }


def _label(kind: str) -> str:
    return str(Kind(kind).label) if kind in Kind.values else kind


def _keys(organization: Organization, ids: Iterable[uuid.UUID]) -> Mapping[uuid.UUID, str]:
    return dict(ApiKey.objects.filter(organization=organization, pk__in=ids).values_list("pk", "name"))


def _members(organization: Organization, ids: Iterable[uuid.UUID]) -> Mapping[uuid.UUID, str]:
    people = User.objects.filter(memberships__organization=organization, pk__in=ids)
    return {person.pk: person.get_short_name() for person in people}


register_asker_names(Kind.API, _keys)
register_asker_names(Kind.MEMBER, _members)
