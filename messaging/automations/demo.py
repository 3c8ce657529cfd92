"""The automation that a demo organization begins with: whoever gets the tag Newcomer is welcomed."""

from integrations.organizations.models import Organization, User
from messaging.contacts.models import Tag

from .flow import Flow, NodeSpec
from .models import Automation
from .publishing import create, publish

NAME, TAG = "Welcome newcomers", "Newcomer"
_TEXT = 'Hello {{ contact.first_name | "there" }}, welcome to {{ organization }}! Just answer if you need anything.'


def make_demo_automation(organization: Organization, owner: User) -> None:
    """Make and publish it, once: what somebody made of it since stays."""
    if Automation.objects.filter(organization=organization).exists():
        return
    tag, _ = Tag.objects.get_or_create(organization=organization, name=TAG)
    send = NodeSpec("n1", "send_sms", {"to": "contact", "text": _TEXT, "purpose": "transactional"})
    flow = Flow(trigger="contact_tagged", trigger_settings={"tag": str(tag.pk)}, nodes=(send,), count=1)
    publish(create(organization, name=NAME, flow=flow, actor=owner), actor=owner)
