"""How this room's actions read in the audit log."""

SENTENCES: dict[str, str] = {
    "connection.connected": "connected {which}",
    "connection.checked": "checked {which}: {result}",
    "connection.changed": "changed {which}",
    "connection.rotated": "replaced the credentials of {which}",
    "connection.made_default": "made {which} the default connection",
    "connection.disconnected": "disconnected {which} and wiped its secrets",
    "connection.replies_set": "let the replies of {place} come here",
    "connection.replies_put_back": "put back where the replies of {place} go",
    "connection.broke": "marked {which} as broken by Twilio error {code}",
    "connection.recovered": "marked {which} as working again",
}
