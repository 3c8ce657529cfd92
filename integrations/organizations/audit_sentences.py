"""The audit log in sentences: one template for each action, a plain fallback for those without."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from .models import AuditEntry

# `{which}` is the label of the object, `{address}` that of an invitation, `{old}` and `{new}` are the two ends of a
# change, any other name is a field of `changes`.
_sentences: dict[str, str] = {
    "organization.created": "created the organization {which}",
    "organization.changed": "changed the organization's settings",
    "organization.suspended": "suspended {which}: {reason}",
    "organization.reactivated": "reactivated {which}",
    "member.added": "added {which} as {role}",
    "member.role_changed": "changed the role of {which} from {old} to {new}",
    "member.phone_added": "wrote down the phone number of {which}",
    "member.phone_changed": "changed the phone number of {which}",
    "member.phone_removed": "removed the phone number of {which}",
    "member.removed": "removed {which}, who was {role}",
    "member.left": "left the organization",
    "invitation.sent": "invited {address} as {role}",
    "invitation.sent_again": "sent the invitation of {address} again",
    "invitation.revoked": "took back the invitation of {address}",
    "api_key.created": "made the API key {which}",
    "api_key.revoked": "revoked the API key {which}",
    "user.password_changed": "changed their password",
    "user.email_changed": "changed the address they sign in with",
    "user.email_removed": "removed an e-mail address of theirs",
    "user.two_factor_activated": "switched two-factor sign-in on",
    "user.two_factor_deactivated": "switched two-factor sign-in off",
    "user.recovery_codes_generated": "made new recovery codes",
}
# Changes that the sentence has said already.
_TOLD = {"role", "reason", "via"}
# Words that are written in capitals, and values that are codes of ours: both are put into people's writing.
_CAPITALS = {"sid": "SID", "api": "API", "id": "ID", "mps": "messages a second"}
_CODE = re.compile(r"[a-z]+(_[a-z]+)+")


@dataclass(frozen=True)
class Line:
    """An entry as the page shows it: `details` are (field, words)."""

    entry: AuditEntry
    sentence: str
    details: list[tuple[str, str]]


def register_sentences(sentences: Mapping[str, str]) -> None:
    """Let an upper room say how its actions read; use it in `AppConfig.ready()`."""
    _sentences.update(sentences)


def line_of(entry: AuditEntry) -> Line:
    """Return the entry in words."""
    template = _sentences.get(entry.action)
    if entry.action == "member.added" and str(entry.actor_id) == entry.object_id:
        template = "accepted the invitation and joined as {role}"
    values = _values(entry)
    sentence = template.format_map(values) if template else _plain(entry)
    told = _TOLD if template else set()
    if template and "{old}" in template:
        told = {*told, *entry.changes}
    details = [(_label(name), _words(value)) for name, value in entry.changes.items() if name not in told]
    return Line(entry=entry, sentence=sentence, details=details)


def action_in_words(action: str) -> str:
    """Return the action for a list of choices: `api_key.created` → "API key created"."""
    words = action.replace(".", " ").replace("_", " ")
    return words.replace("api key", "API key").replace("user", "account").capitalize().replace("Api", "API")


def _label(name: str) -> str:
    """Return a field's name for people: `messaging_service_sid` → "messaging service SID"."""
    words = (_CAPITALS.get(word, word) for word in name.split("_"))
    return " ".join(words)


def _plain(entry: AuditEntry) -> str:
    verb = entry.action.rpartition(".")[2].replace("_", " ")
    return " ".join(part for part in (verb, entry.object_kind, entry.object_label) if part)


class _Values(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return "–"


def _values(entry: AuditEntry) -> _Values:
    values = _Values(which=entry.object_label or "–", address=entry.object_label.removeprefix("Invitation of "))
    for name, value in entry.changes.items():
        if isinstance(value, list) and len(value) == 2:
            values["old"], values["new"] = (_words(part) for part in value)
        values[name] = _words(value)
    return values


def _words(value: object) -> str:
    if isinstance(value, list):
        if len(value) == 2 and all(not isinstance(part, list) for part in value):
            return f"{_words(value[0])} → {_words(value[1])}"
        return ", ".join(_words(part) for part in value)
    if value is None or value == "":
        return "empty"
    if isinstance(value, bool):
        return "yes" if value else "no"
    words = str(value)
    return _label(words) if _CODE.fullmatch(words) else words
