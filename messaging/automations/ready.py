"""What the room of automations hangs into others when the wing is ready, and its own triggers and nodes."""

from integrations.organizations.audit_sentences import register_sentences
from messaging.contacts.erasure.erasers import register_eraser
from messaging.verification.asker_names import register_asker_names
from messaging.verification.waiting import register_waiter

from . import hooks, moves, publishing
from .around import register_around
from .nodes import verify
from .nodes.branching.node import BranchNode
from .nodes.contact_changes import AttributeNode, TagNode
from .nodes.sending import sources
from .nodes.sending.members import MemberSource
from .nodes.sending.node import SendSmsNode
from .nodes.stop import StopNode
from .nodes.verify import VerifyNode
from .nodes.wait import WaitNode
from .nodes.webhook import WebhookNode
from .registry import register_nodes, register_triggers
from .trigger_erasing import forget_samples
from .triggers.own import TRIGGERS


def register_room() -> None:
    """Offer the wing's own triggers and nodes; a wing above registers its own."""
    register_triggers(TRIGGERS)
    register_eraser("samples of webhooks and events", forget_samples)
    register_sentences(hooks.SENTENCES)
    sources.register_sources([*sources.OWN, MemberSource()])
    register_nodes([SendSmsNode(), WaitNode(), BranchNode(), WebhookNode(), TagNode(), AttributeNode(), VerifyNode()])
    register_nodes([StopNode()])
    register_waiter(verify.wake)
    register_asker_names("automation", verify.names_of)
    register_sentences(publishing.SENTENCES)
    register_sentences(moves.SENTENCES)
    register_around()
