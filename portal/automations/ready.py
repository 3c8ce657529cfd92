"""What the portal wing registers with automations when it is ready."""

from messaging.automations.nodes.sending.sources import register_sources
from messaging.automations.registry import register_nodes, register_triggers

from .nodes import DecideNode, InviteNode, NotifyNode
from .recipients import PortalSource
from .triggers import FormSubmitted, PortalApproved, PortalInvited, PortalRegistered, PortalRejected


def register_room() -> None:
    """Offer the wing's triggers, steps and recipients."""
    register_triggers([FormSubmitted(), PortalRegistered(), PortalApproved(), PortalRejected(), PortalInvited()])
    register_sources([PortalSource()])
    register_nodes([InviteNode(), DecideNode(), NotifyNode()])
