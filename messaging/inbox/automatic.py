"""Answers without a person: keyword rules first, then the words for outside office hours. Guarded against loops.

All of it happens in the transaction that stores the message, so that a webhook which comes twice answers once. Two
machines that answer each other would go on for ever; Twilio stops them at 30 messages in 30 seconds (14107). Here the
guards are conditional statements in the database: one away text per number and hour, one answer of a rule per number
and its pause, and none at all to who writes faster than a person.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone

from integrations.organizations.models import Organization
from messaging.consent.keywords import as_seen
from messaging.consent.models import OptOut
from messaging.consent.opt_outs import STOP_TAG, find_block, opt_out
from messaging.contacts.models import Contact, Tag
from messaging.contacts.tagging import give_tags
from messaging.sending import outbox
from messaging.sending.models import Message
from messaging.sending.outbox import Draft, EnqueueProblem
from messaging.templates.rendering import TemplateProblem, parse, render
from messaging.templates.variables import contact_values

from .arrivals import Arrival
from .matching import fold, says
from .models import Conversation, KeywordRule
from .office_hours import is_staffed, policy_of

log = structlog.get_logger(__name__)

AWAY, RULE = "auto_reply", "keyword_rule"
AWAY_PAUSE = timedelta(hours=1)
FASTEST_PERSON = 10  # texts in a minute; who writes more gets no automatic answer
_STALE = timedelta(minutes=10)  # what was taken in that late deserves a person, not a machine
_LONGEST_MATCHED = 2_000

_MAY_ANSWER = """
INSERT INTO messaging_ruleanswer AS a (rule_id, phone, answered_at) VALUES (%s, %s, %s)
ON CONFLICT (rule_id, phone) DO UPDATE SET answered_at = EXCLUDED.answered_at WHERE a.answered_at <= %s
RETURNING id
"""


@dataclass(frozen=True)
class Consequence:
    """What an incoming text led to, or would lead to: the rule that fits, and whether the away text answers."""

    rule: KeywordRule | None = None
    is_away: bool = False


def answer_by_itself(message: Message, *, arrival: Arrival, received_at: datetime) -> Consequence:
    """Do what rules and office hours ask for on a message that is no STOP, START or HELP; it came from a number."""
    if arrival.muted_at or arrival.in_this_minute > FASTEST_PERSON:
        return Consequence()
    consequence = foresee(message.organization, body=message.body, at=received_at)
    if consequence.rule is not None:
        _apply(consequence.rule, message, may_answer=_is_fresh(received_at))
    elif consequence.is_away and _is_fresh(received_at):
        _send_away(message, arrival)
    return consequence


def foresee(organization: Organization, *, body: str, at: datetime) -> Consequence:
    """Say what a text would lead to, guards aside; changes nothing."""
    text = fold(body[:_LONGEST_MATCHED])
    rules = KeywordRule.objects.filter(organization=organization, is_on=True)
    rule = next((rule for rule in rules if says(rule, text)), None)
    if rule is not None:
        return Consequence(rule=rule)
    policy = policy_of(organization)
    return Consequence(is_away=policy.is_on and not is_staffed(policy, organization, at=at))


def _is_fresh(received_at: datetime) -> bool:
    return timezone.now() - received_at < _STALE


def _apply(rule: KeywordRule, message: Message, *, may_answer: bool) -> None:
    if rule.tag and message.contact is not None:
        _tag(message.contact, rule.tag)
    if rule.opts_out:
        opt_out(
            message.organization,
            phone=message.phone,
            source=OptOut.Source.KEYWORD,
            keyword=as_seen(message.body)[:40],
            evidence={"message": str(message.pk), "rule": rule.name},
        )
    elif rule.reply and may_answer:
        _answer_once(rule, message)


def _tag(contact: Contact, name: str) -> None:
    """Tag the contact; the tag that follows the opt-outs is nobody's to give."""
    if name.casefold() == STOP_TAG.casefold():
        return
    tag = Tag.objects.filter(organization_id=contact.organization_id, name__iexact=name).first()
    if tag is None:
        tag, _ = Tag.objects.get_or_create(organization_id=contact.organization_id, name=name)
    give_tags([(contact.pk, tag.pk)])


def _answer_once(rule: KeywordRule, message: Message) -> None:
    now = timezone.now()
    before = now - timedelta(minutes=rule.pause_minutes)
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute(_MAY_ANSWER, [rule.pk, message.phone, now, before])
                may_answer = cursor.fetchone() is not None
            if may_answer:
                _send(message, rule.reply, source=RULE)
    except EnqueueProblem as problem:
        log.info("rule_not_answered", rule=str(rule.pk), reason=problem.code)


def _send_away(message: Message, arrival: Arrival) -> None:
    now = timezone.now()
    try:
        with transaction.atomic():
            may_answer = Conversation.objects.filter(
                Q(auto_replied_at=None) | Q(auto_replied_at__lte=now - AWAY_PAUSE), pk=arrival.conversation_id
            ).update(auto_replied_at=now)
            if may_answer:
                _send(message, policy_of(message.organization).text, source=AWAY)
    except EnqueueProblem as problem:
        log.info("away_text_not_sent", reason=problem.code)


def _send(message: Message, source_text: str, *, source: str) -> None:
    """Enqueue the text from the number that was written to; raise EnqueueProblem where nothing may or can be sent."""
    organization = message.organization
    if find_block(organization, phone=message.phone, sender=message.sender, purpose=Message.Purpose.TRANSACTIONAL):
        raise EnqueueProblem("opted_out", "The recipient opted out.", is_refusal=True)
    try:
        body = render(parse(source_text), contact_values(message.contact, organization))
    except TemplateProblem as problem:
        raise EnqueueProblem("bad_template", str(problem), field="body") from problem
    draft = Draft(
        to=message.phone,
        contact=message.contact,
        body=body,
        sender=message.sender,
        connection=message.connection,
        source=source,
    )
    outbox.enqueue(organization, draft=draft)
