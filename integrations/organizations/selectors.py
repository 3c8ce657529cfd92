"""Reads: who belongs where."""

from datetime import datetime

from allauth.mfa.models import Authenticator
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet

from integrations.phones import search_forms

from .models import ApiKey, AuditEntry, Invitation, Member, Organization, User
from .roles import Role


def find_member(user: User, *, slug: str) -> Member | None:
    """Return the user's membership in the organization of that slug, with the organization, or None."""
    member = Member.objects.select_related("organization").filter(organization__slug=slug, user=user).first()
    if member is not None:
        member.user = user  # it is known already: every page of a member begins here
    return member


def organizations_of(user: User) -> QuerySet[Organization]:
    """Return the organizations the user belongs to, by name."""
    return Organization.objects.filter(members__user=user).order_by("name")


def members_of(organization: Organization) -> QuerySet[Member]:
    """Return the members of an organization with their users, by address."""
    return Member.objects.filter(organization=organization).select_related("user").order_by("user__email")


def member_rows(organization: Organization, *, search: str = "") -> QuerySet[Member]:
    """Return the members who fit the search, each with `has_second_factor`."""
    second_factor = Authenticator.objects.filter(user=OuterRef("user"), type=Authenticator.Type.TOTP)
    rows = members_of(organization).annotate(has_second_factor=Exists(second_factor))
    return rows.filter(fits_member(organization, search)) if search else rows


def fits_member(organization: Organization, search: str) -> Q:
    """Return the condition that a member's name or address holds the search, or it is the number or its end."""
    wanted = Q(user__email__icontains=search) | Q(user__name__icontains=search)
    forms = search_forms(search, region=organization.default_region)
    if forms.exact:
        wanted |= Q(phone__in=forms.exact)
    if forms.suffix:
        wanted |= Q(phone__endswith=forms.suffix)
    return wanted


def invitations_waiting(organization: Organization) -> QuerySet[Invitation]:
    """Return the invitations neither accepted nor taken back, expired ones too, newest first."""
    waiting = Invitation.objects.filter(organization=organization, accepted_at=None, revoked_at=None)
    return waiting.select_related("invited_by").order_by("-created_at")


def operator_rows(*, search: str = "", status: str = "") -> QuerySet[Organization]:
    """Return all organizations by name, with `member_count` and `owner_count`."""
    rows = Organization.objects.annotate(
        member_count=Count("members", distinct=True),
        owner_count=Count("members", filter=Q(members__role=Role.OWNER), distinct=True),
    ).order_by("name", "pk")
    if search:
        owned = Q(members__user__email__icontains=search)
        ids = Organization.objects.filter(Q(name__icontains=search) | Q(slug__icontains=search) | owned).values("pk")
        rows = rows.filter(pk__in=ids)
    return rows.filter(status=status) if status in Organization.Status.values else rows


def audit_rows(
    organization: Organization | None,
    *,
    who: str = "",
    action: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
) -> QuerySet[AuditEntry]:
    """Return entries of the organization (None: those of the installation itself), unordered, to be paged by id."""
    rows = AuditEntry.objects.filter(organization=organization)
    if who:
        rows = rows.filter(actor_label__icontains=who)
    if action:
        rows = rows.filter(action=action)
    if since is not None:
        rows = rows.filter(at__gte=since)
    return rows.filter(at__lt=until) if until is not None else rows


def audit_actions(organization: Organization | None) -> list[str]:
    """Return the actions that occur in the organization's log, by name."""
    rows = AuditEntry.objects.filter(organization=organization).order_by("action")
    return list(rows.values_list("action", flat=True).distinct())


def memberships_of(user: User) -> QuerySet[Member]:
    """Return the user's memberships with their organizations, by the organization's name."""
    return Member.objects.filter(user=user).select_related("organization").order_by("organization__name")


def api_key_rows(organization: Organization, *, search: str = "") -> QuerySet[ApiKey]:
    """Return the organization's keys with who made them; live ones first, newest first, narrowed to the search."""
    rows = ApiKey.objects.filter(organization=organization).select_related("created_by")
    if search:
        rows = rows.filter(Q(name__icontains=search) | Q(prefix__istartswith=search))
    return rows.order_by(F("revoked_at").desc(nulls_first=True), "-created_at")
