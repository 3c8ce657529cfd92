"""Reads: who belongs where."""

from django.db.models import QuerySet

from .models import ApiKey, Member, Organization, User


def find_member(user: User, *, slug: str) -> Member | None:
    """Return the user's membership in the organization of that slug, with the organization, or None."""
    return Member.objects.select_related("organization", "user").filter(organization__slug=slug, user=user).first()


def organizations_of(user: User) -> QuerySet[Organization]:
    """Return the organizations the user belongs to, by name."""
    return Organization.objects.filter(members__user=user).order_by("name")


def members_of(organization: Organization) -> QuerySet[Member]:
    """Return the members of an organization with their users, by address."""
    return Member.objects.filter(organization=organization).select_related("user").order_by("user__email")


def api_keys_of(organization: Organization) -> QuerySet[ApiKey]:
    """Return the organization's API keys, live ones first, newest first."""
    return ApiKey.objects.filter(organization=organization).order_by("revoked_at", "-created_at")
