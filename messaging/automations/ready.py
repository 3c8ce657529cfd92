"""What the room of automations hangs into others when the wing is ready, and its own triggers and nodes."""

from integrations.organizations.audit_sentences import register_sentences

from . import moves, publishing
from .nodes.branching.node import BranchNode
from .nodes.contact_changes import AttributeNode, TagNode
from .nodes.sending import sources
from .nodes.sending.node import SendSmsNode
from .nodes.stop import StopNode
from .nodes.wait import WaitNode
from .registry import register_nodes


def register_room() -> None:
    """Offer the wing's own triggers and nodes; a wing above registers its own."""
    sources.register_sources(sources.OWN)
    register_nodes([SendSmsNode(), WaitNode(), BranchNode(), TagNode(), AttributeNode()])
    register_nodes([StopNode()])
    register_sentences(publishing.SENTENCES)
    register_sentences(moves.SENTENCES)
