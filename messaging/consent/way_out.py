"""Marketing from a name offers its way out in the text itself: nobody can reply STOP to a name."""

from integrations.organizations.models import Organization
from messaging.contacts.models import Contact

from .blocking import MARKETING
from .links import is_name, link_of
from .models import ConsentPolicy
from .policy import policy_of
from .texts import text_for


def add_way_out(
    organization: Organization,
    *,
    body: str,
    purpose: str,
    phone: str,
    sender: str,
    contact: Contact | None = None,
    policy: ConsentPolicy | None = None,
) -> str:
    """Return the text with the recipient's unsubscribe link, where it is marketing from a name and lacks one.

    Whoever renders many texts passes the policy, which is the same for all. The link works once
    `links.keep_links` was called for the number and the sender.
    """
    if purpose != MARKETING or not is_name(sender):
        return body
    link = link_of(organization, phone=phone, sender=sender)
    policy = policy or policy_of(organization)
    if link in body or not policy.append_link:
        return body
    return f"{body}\n{text_for('unsubscribe', organization=organization, policy=policy, contact=contact, link=link)}"
