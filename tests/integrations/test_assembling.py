"""Objects made without the constructor's ceremony are what the constructor would have made."""

import pytest

from integrations.connections.models import Connection
from integrations.quick_rows import assemble
from messaging.sending.models import Message, MessageEvent
from tests.conftest import Cast

pytestmark = pytest.mark.django_db


def test_assembled_message_is_as_constructed(cast: Cast, connection: Connection) -> None:
    values = {"phone": "+4915112345678", "body": "Hello", "segments": 1}
    usual = Message(organization=cast.organization, connection=connection, contact=None, **values)
    made = assemble(
        Message, related={"organization": cast.organization, "connection": connection, "contact": None}, **values
    )
    drawn = {"id", "created_at", "due_at", "updated_at", "_state"}
    assert {name: value for name, value in made.__dict__.items() if name not in drawn} == {
        name: value for name, value in usual.__dict__.items() if name not in drawn
    }
    assert drawn <= set(made.__dict__)
    assert made.id != usual.id
    assert made.organization is cast.organization
    assert made.connection is connection
    assert made.contact is None
    assert made._state.adding


def test_each_assembled_object_has_values_of_its_own() -> None:
    first, second = assemble(Message, related={}), assemble(Message, related={})
    assert first.id != second.id
    assert first._state is not second._state


def test_assembled_event_knows_its_message(connection: Connection) -> None:
    message = Message(phone="+4915112345678")
    event = assemble(MessageEvent, related={"message": message}, status="queued")
    assert (event.message, event.message_id, event.error_code, event.note) == (message, message.pk, None, "")
