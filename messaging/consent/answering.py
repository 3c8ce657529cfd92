"""Who answers STOP, START and HELP: Twilio or we, decided by one table; and our answers, once and shortly after.

Two answers to one STOP are a fault that people complain of, and none is one that regulators do.
"""

from dataclasses import dataclass
from datetime import timedelta

import structlog
from django.utils import timezone

from integrations.connections.models import Connection
from integrations.organizations.models import Organization
from integrations.phones import Phone
from messaging.contacts.models import Contact
from messaging.sending.models import Message
from messaging.sending.outbox import Composed, Draft, store
from messaging.templates.segments import measure

from .blocking import ABOUT_CONSENT
from .keywords import Asked, is_toll_free
from .models import ConsentPolicy
from .texts import text_for

log = structlog.get_logger(__name__)

SOURCE = "keyword"
# An answer that comes later puzzles; so it is not sent at all.
ANSWER_WITHIN = timedelta(minutes=5)
# Limits: answers to one number in an hour (people change their mind, machines answer machines), and HELP once an hour.
MOST_ANSWERS, HELP_EVERY = 5, timedelta(hours=1)


@dataclass(frozen=True)
class Rule:
    """Who answers the keywords of one kind of sender, and where that is said."""

    kind: str
    is_twilio: bool
    why: str
    source: str


_STOP_FILTERING = "https://help.twilio.com/articles/223134027"
_ADVANCED = "https://www.twilio.com/docs/messaging/tutorials/advanced-opt-out"
RULES: dict[str, Rule] = {
    rule.kind: rule
    for rule in (
        Rule(
            "advanced",
            True,
            "Advanced Opt-Out of the Messaging Service read the keyword (OptOutType) and answered with its own words.",
            _ADVANCED,
        ),
        Rule(
            "toll_free",
            True,
            "The networks of the US and Canada answer STOP to toll-free numbers themselves, and nobody can change it.",
            "https://help.twilio.com/articles/360058144374",
        ),
        Rule(
            "service",
            True,
            "Twilio answers for the long codes and toll-free numbers of a Messaging Service, and blocks all of it.",
            _STOP_FILTERING,
        ),
        Rule("long_code", True, "Twilio answers for long codes by default.", _STOP_FILTERING),
        Rule(
            "short_code",
            False,
            "Twilio does nothing for short codes by default; with Advanced Opt-Out it sends OptOutType.",
            "https://help.twilio.com/articles/223181748",
        ),
        Rule(
            "other_word",
            False,
            "Twilio knows only its own English words unless Advanced Opt-Out was set up with more.",
            _STOP_FILTERING,
        ),
        Rule("said_so", False, "The consent policy says that Twilio does not answer for this sender.", ""),
        Rule("said_twilio", True, "The consent policy says that Twilio answers for this sender.", ""),
    )
}


def who_answers(policy: ConsentPolicy, *, asked: Asked, ours: str, service: str = "", opt_out_type: str = "") -> Rule:
    """Return the rule for a keyword that was sent to `ours`, a number or short code, perhaps of a Messaging Service."""
    if opt_out_type:
        return RULES["advanced"]
    if not asked.is_twilios:
        return RULES["other_word"]
    if is_toll_free(ours):
        return RULES["toll_free"]
    said = policy.sender_answers.get(ours) or policy.sender_answers.get(service)
    if said in {"yes", "no"}:
        return RULES["said_twilio" if said == "yes" else "said_so"]
    if not ours.startswith("+"):
        return RULES["short_code"]
    return RULES["service" if service else "long_code"]


def answer(
    organization: Organization,
    *,
    kind: str,
    policy: ConsentPolicy,
    connection: Connection,
    phone: Phone,
    contact: Contact | None,
    ours: str,
) -> Message | None:
    """Queue our answer to a keyword from the number that was written to; None where we keep silent.

    It is the one message that may follow a STOP, so it is marked by its purpose and lives five minutes.
    """
    if organization.is_suspended or not ours or connection.status == Connection.Status.DISCONNECTED:
        return None
    body = text_for(kind, organization=organization, policy=policy, contact=contact)
    if _was_answered(organization, phone=phone.e164, kind=kind, body=body):
        log.info("keyword_not_answered_again", kind=kind)
        return None
    measured = measure(body)
    draft = Draft(purpose=ABOUT_CONSENT, source=SOURCE, valid_for=ANSWER_WITHIN)
    composed = Composed(
        phone=phone,
        connection=connection,
        contact=contact,
        template_version=None,
        sender=ours[:34],
        body=body,
        encoding=measured.encoding,
        segments=measured.segments,
    )
    return store(organization, draft=draft, composed=composed)


def _was_answered(organization: Organization, *, phone: str, kind: str, body: str) -> bool:
    lately = Message.objects.filter(
        organization=organization,
        phone=phone,
        direction=Message.Direction.OUTBOUND,
        purpose=ABOUT_CONSENT,
        created_at__gt=timezone.now() - HELP_EVERY,
    )
    bodies = list(lately.values_list("body", flat=True)[: MOST_ANSWERS + 1])
    return len(bodies) >= MOST_ANSWERS or (kind == "help" and body in bodies)
