"""What became of messages, told by the statements that move them: listeners hear of it within a second."""

MESSAGE_DELIVERED, MESSAGE_FAILED = "message.delivered", "message.failed"
_KINDS = f"('delivered', '{MESSAGE_DELIVERED}'), ('failed', '{MESSAGE_FAILED}'), ('undelivered', '{MESSAGE_FAILED}')"

# A part of a WITH: `moved` must have id, status, error_code, organization_id, contact_id and phone.
TELL_SQL = f"""
    INSERT INTO messaging_happening (organization_id, kind, contact_id, phone, data)
    SELECT moved.organization_id, k.kind, moved.contact_id, moved.phone,
        jsonb_build_object('message_id', moved.id, 'status', moved.status, 'error_code', moved.error_code)
    FROM moved JOIN (VALUES {_KINDS}) AS k(status, kind) ON k.status = moved.status
    WHERE EXISTS (SELECT 1 FROM messaging_listener l
        WHERE l.organization_id = moved.organization_id AND l.kind = k.kind)
"""  # noqa: S608 - built from the kinds above
