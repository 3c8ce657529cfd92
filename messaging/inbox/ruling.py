"""Keeping keyword rules and office hours: checked before they are kept, each change in the audit log."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.db import transaction
from django.db.models import Max

from integrations.organizations.audit import record
from integrations.organizations.models import Organization, User
from messaging.consent.keywords import classify
from messaging.consent.opt_outs import STOP_TAG
from messaging.consent.policy import policy_of as consent_policy_of
from messaging.contacts.address_book import plain_line
from messaging.templates.rendering import LONGEST_TEXT, TemplateProblem, clean_text, parse

from .matching import fold
from .models import InboxPolicy, KeywordRule

SENTENCES = {
    "keyword_rule.created": "made the keyword rule “{which}”",
    "keyword_rule.changed": "changed the keyword rule “{which}”",
    "keyword_rule.deleted": "deleted the keyword rule “{which}”",
    "keyword_rule.switched": "switched the keyword rule “{which}” {state}",
    "keyword_rule.moved": "changed the order of the keyword rules",
    "inbox_policy.changed": "changed what is answered outside office hours",
}
MOST_RULES = 100
MOST_WORDS = 30
_LONGEST_WORD = 80
# Variables that every contact has; the others need a fallback, because nobody is there to fill them in.
_ALWAYS_KNOWN = {"organization", "phone", "contact.phone"}


class RuleProblem(Exception):
    """A rule or policy that cannot be kept; `field` names what is wrong, the text is for people."""

    def __init__(self, field: str, detail: str) -> None:
        super().__init__(detail)
        self.field, self.detail = field, detail


@dataclass(frozen=True, kw_only=True)
class RuleDetails:
    """What a member enters about a rule; `words` are lines or parts between commas."""

    name: str
    match: str
    words: str
    reply: str = ""
    tag: str = ""
    opts_out: bool = False
    pause_minutes: int = 60


def save_rule(
    organization: Organization, *, rule: KeywordRule | None = None, details: RuleDetails, actor: User, ip: str = ""
) -> KeywordRule:
    """Make a rule, which goes behind the others, or change one; raise RuleProblem."""
    values = _read(details, organization)
    verb = "changed" if rule else "created"
    with transaction.atomic():
        # One at a time, so that no two rules get the same place.
        Organization.objects.select_for_update().get(pk=organization.pk)
        rules = KeywordRule.objects.filter(organization=organization)
        if rule is None:
            if rules.count() >= MOST_RULES:
                raise RuleProblem("name", f"There are {MOST_RULES} rules, which is the most. Delete one first.")
            last = rules.aggregate(last=Max("position"))["last"]
            rule = KeywordRule(organization=organization, position=0 if last is None else last + 1)
        for name, value in values.items():
            setattr(rule, name, value)
        rule.save()
        record(organization, actor=actor, action=f"keyword_rule.{verb}", target=rule, ip=ip)
    return rule


def delete_rule(rule: KeywordRule, *, actor: User, ip: str = "") -> None:
    """Delete a rule."""
    with transaction.atomic():
        record(rule.organization, actor=actor, action="keyword_rule.deleted", target=rule, ip=ip)
        rule.delete()


def switch_rule(rule: KeywordRule, *, is_on: bool, actor: User, ip: str = "") -> None:
    """Put a rule in force or out of it; a second time changes nothing."""
    with transaction.atomic():
        if KeywordRule.objects.filter(pk=rule.pk).exclude(is_on=is_on).update(is_on=is_on):
            changes = {"state": "on" if is_on else "off"}
            record(rule.organization, actor=actor, action="keyword_rule.switched", target=rule, changes=changes, ip=ip)


def move_rule(rule: KeywordRule, *, up: bool, actor: User, ip: str = "") -> None:
    """Change places with the rule before or behind; at the end of the list nothing changes."""
    with transaction.atomic():
        Organization.objects.select_for_update().get(pk=rule.organization_id)
        rules = list(KeywordRule.objects.filter(organization=rule.organization_id))
        here = next((place for place, one in enumerate(rules) if one.pk == rule.pk), None)
        if here is None:
            return
        there = here - 1 if up else here + 1
        if not 0 <= there < len(rules):
            return
        rules[here], rules[there] = rules[there], rules[here]
        for position, one in enumerate(rules):
            one.position = position
        KeywordRule.objects.bulk_update(rules, ["position"])
        record(rule.organization, actor=actor, action="keyword_rule.moved", target=rule, ip=ip)


def save_policy(
    organization: Organization,
    *,
    is_on: bool,
    text: str,
    hours: Sequence[tuple[int, str, str]],
    holidays: str,
    actor: User,
    ip: str = "",
) -> InboxPolicy:
    """Keep the office hours and the text; raise RuleProblem."""
    text = _automatic_text(text, field="text")
    if is_on and not text:
        raise RuleProblem("text", "Write what is answered outside office hours, or switch the answers off.")
    values = {
        "is_on": is_on,
        "text": text,
        "hours": [list(row) for row in hours],
        "holidays": _dates(holidays),
    }
    with transaction.atomic():
        policy, _ = InboxPolicy.objects.select_for_update().get_or_create(organization=organization)
        changed = [name for name, value in values.items() if getattr(policy, name) != value]
        for name in changed:
            setattr(policy, name, values[name])
        if changed:
            policy.save(update_fields=[*changed, "updated_at"])
            changes = {"fields": ", ".join(changed)}
            record(organization, actor=actor, action="inbox_policy.changed", target=policy, changes=changes, ip=ip)
    return policy


def _read(details: RuleDetails, organization: Organization) -> dict[str, object]:
    name = plain_line(details.name)
    if not name or len(name) > 60:
        raise RuleProblem("name", "Give the rule a name of at most 60 characters.")
    tag = plain_line(details.tag)
    if len(tag) > 60:
        raise RuleProblem("tag", "A tag has at most 60 characters.")
    if tag.casefold() == STOP_TAG.casefold():
        raise RuleProblem("tag", f"{STOP_TAG} follows the opt-outs: choose “opts out” instead.")
    reply = _automatic_text(details.reply, field="reply")
    if reply and details.opts_out:
        raise RuleProblem("reply", "Who opts out gets nothing more, so the rule cannot answer, too. Empty the text.")
    if not (reply or tag or details.opts_out):
        raise RuleProblem("reply", "Say what the rule does: an answer, a tag, or an opt-out.")
    if not 1 <= details.pause_minutes <= 10_080:
        raise RuleProblem("pause_minutes", "Write 1 to 10,080 minutes, which is a week.")
    if details.match not in KeywordRule.Match.values:
        raise RuleProblem("match", "Choose how the words are looked for.")
    return {
        "name": name,
        "match": details.match,
        "words": _words(details.words, organization),
        "reply": reply,
        "tag": tag,
        "opts_out": details.opts_out,
        "pause_minutes": details.pause_minutes,
    }


def _words(typed: str, organization: Organization) -> list[str]:
    policy = consent_policy_of(organization)
    words = [fold(part) for line in typed.splitlines() for part in line.split(",")]
    words = list(dict.fromkeys(word for word in words if word))
    if not words:
        raise RuleProblem("words", "Write at least one word.")
    if len(words) > MOST_WORDS:
        raise RuleProblem("words", f"A rule listens for at most {MOST_WORDS} words.")
    for word in words:
        if len(word) > _LONGEST_WORD:
            raise RuleProblem("words", f"A word has at most {_LONGEST_WORD} characters.")
        if classify(word, policy=policy) is not None:
            raise RuleProblem("words", f"“{word}” is understood by itself: opt-outs and help come before all rules.")
    return words


def _automatic_text(text: str, *, field: str) -> str:
    text = clean_text(text).strip()
    if len(text) > LONGEST_TEXT:
        raise RuleProblem(field, f"The text has {len(text):,} characters; Twilio takes at most {LONGEST_TEXT:,}.")
    try:
        variables = parse(text).variables
    except TemplateProblem as problem:
        raise RuleProblem(field, str(problem)) from problem
    for variable in variables:
        if not variable.has_fallback and variable.name not in _ALWAYS_KNOWN:
            raise RuleProblem(
                field,
                f"Nobody fills “{variable.name}” in when this goes out by itself. Write what is said without it: "
                f'{{{{ {variable.name} | "there" }}}}.',
            )
    return text


def _dates(typed: str) -> list[str]:
    found = set()
    for line in typed.splitlines():
        if not line.strip():
            continue
        try:
            found.add(date.fromisoformat(line.split()[0]).isoformat())
        except ValueError:
            raise RuleProblem(
                "holidays", f"“{line.strip()[:40]}” is no date. Write one a line, like 2026-12-25."
            ) from None
    if len(found) > 200:
        raise RuleProblem("holidays", "At most 200 holidays are kept. Take past ones out.")
    return sorted(found)
