"""What Twilio's refusals say about consent: a sender blocked, or marketing on WhatsApp alone."""

import pytest

from integrations.connections.models import Connection
from messaging.consent.ledger import Entry, record_consent, state_of
from messaging.consent.models import OptOut
from messaging.sending.refusals import note_opt_out
from messaging.sending.verdict import OPT_OUT_CODES
from tests.conftest import Cast
from tests.factories import MessageFactory

PHONE, SERVICE = "+4915112345678", "MG" + "a" * 32


@pytest.mark.parametrize("code", [21610, 30630, 63033])
def test_a_refusal_opts_out_of_its_sender_only(cast: Cast, connection: Connection, code: int) -> None:
    message = MessageFactory(organization=cast.organization, connection=connection, phone=PHONE, sender=SERVICE)
    record_consent(cast.organization, Entry(phone=PHONE, action="granted", source="staff", reason="desk"))
    for _ in range(2):
        note_opt_out(message.pk, code=code)
    standing = OptOut.objects.get()
    assert (standing.scope, standing.sender, standing.twilio_scope) == ("sender", SERVICE, SERVICE)
    assert state_of(cast.organization, phone=PHONE).state == "granted"
    assert code in OPT_OUT_CODES


def test_63050_takes_back_marketing_on_whatsapp_and_nothing_else(cast: Cast, connection: Connection) -> None:
    message = MessageFactory(
        organization=cast.organization, connection=connection, phone=PHONE, sender=SERVICE, channel="whatsapp"
    )
    for _ in range(2):
        assert note_opt_out(message.pk, code=63050) is None
    assert not OptOut.objects.exists()
    assert state_of(cast.organization, phone=PHONE, channel="whatsapp").state == "withdrawn"
    assert state_of(cast.organization, phone=PHONE) is None


def test_63053_is_about_templates_and_no_opt_out() -> None:
    assert 63053 not in OPT_OUT_CODES
