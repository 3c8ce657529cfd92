"""What the portal wing registers with automations when it is ready."""

from django.db.models import QuerySet

from integrations.organizations.models import Organization
from messaging.automations.nodes.sending.sources import register_sources
from messaging.automations.references import Kind, register_reference
from messaging.automations.registry import register_causes, register_nodes, register_triggers
from portal.accounts.models import Portal
from portal.forms.models import PublicForm

from .nodes import DecideNode, InviteNode, NotifyNode, steps_that_notified
from .recipients import PortalSource
from .triggers import FormSubmitted, PortalApproved, PortalInvited, PortalRegistered, PortalRejected


def register_room() -> None:
    """Offer the wing's triggers, steps and recipients."""
    register_triggers([FormSubmitted(), PortalRegistered(), PortalApproved(), PortalRejected(), PortalInvited()])
    register_sources([PortalSource()])
    register_nodes([InviteNode(), DecideNode(), NotifyNode()])
    register_causes(steps_that_notified)
    register_reference(Kind("portal", "portal", _portals))
    register_reference(Kind("form", "form", _forms, name="title"))


def _portals(organization: Organization) -> QuerySet[Portal]:
    return Portal.objects.filter(organization=organization)


def _forms(organization: Organization) -> QuerySet[PublicForm]:
    return PublicForm.objects.filter(organization=organization, serves=PublicForm.Serves.PUBLIC)
