"""What the room of automations hangs into others when the wing is ready, and its own triggers and nodes."""

from integrations.organizations.audit_sentences import register_sentences

from . import moves, publishing
from .nodes.stop import StopNode
from .registry import register_nodes


def register_room() -> None:
    """Offer the wing's own triggers and nodes; a wing above registers its own."""
    register_nodes([StopNode()])
    register_sentences(publishing.SENTENCES)
    register_sentences(moves.SENTENCES)
