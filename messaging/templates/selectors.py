"""Reads of templates."""

import uuid

from django.db.models import QuerySet

from integrations.organizations.models import Organization

from .models import Template, TemplateVersion


def find_templates(organization: Organization, *, query: str = "", is_archived: bool = False) -> QuerySet[Template]:
    """Return templates by name with their wording: those in use or the archived ones; `query` is in name or text."""
    rows = Template.objects.filter(organization=organization, archived_at__isnull=not is_archived)
    for word in query.replace("\x00", "").split()[:6]:
        rows = rows.filter(name__icontains=word) | rows.filter(current__body__icontains=word)
    return rows.select_related("current", "current__created_by").order_by("name", "id")


def active_templates(organization: Organization) -> QuerySet[Template]:
    """Return the templates that can be chosen for a message, by name."""
    return find_templates(organization)


def find_template(organization: Organization, template_id: uuid.UUID) -> Template | None:
    """Return the organization's template of that id with its wording, archived or not; None for another one's."""
    return (
        Template.objects.filter(organization=organization, pk=template_id)
        .select_related("organization", "current", "current__created_by")
        .first()
    )


def versions_of(template: Template) -> QuerySet[TemplateVersion]:
    """Return the wordings of a template with their authors, the latest first."""
    return template.versions.select_related("created_by").order_by("-number")
