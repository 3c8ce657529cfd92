"""What the benchmark puts into the database: an organization, its connections, and queued messages."""

from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from integrations.connections.connecting import candidate, connect
from integrations.connections.models import Connection
from integrations.organizations.api_keys import create_key
from integrations.organizations.models import Organization
from integrations.sandbox.credentials import SandboxCredentials, derive_credentials, new_account_sid
from messaging.sending.models import Message, MessageEvent
from messaging.sending.statuses import Status

_CHUNK = 2_000
_TEXT = "Your parcel arrives today between 10 and 12. Track it at https://example.com/t/{number:07d}"


@dataclass(frozen=True)
class Customer:
    """An organization that is ready to send.

    `quiet` leaves StatusCallback out, `talking` asks for callbacks. Both are accounts of the sandbox process. What
    makes the first one quiet is its mode: Twilio never calls back for test credentials, so the engine gives no address.
    """

    organization: Organization
    quiet: Connection
    talking: Connection
    api_key: str
    account: SandboxCredentials


def make_customer() -> Customer:
    """Make the organization with both connections (the talking one is its default) and an API key."""
    organization = Organization.objects.create(name="Benchmark", slug="benchmark", default_region="DE")
    account = derive_credentials(settings.SANDBOX_SECRET, new_account_sid(settings.SANDBOX_SECRET))
    quiet = _connect(organization, account, mode=Connection.Mode.TEST)
    talking_account = derive_credentials(settings.SANDBOX_SECRET, new_account_sid(settings.SANDBOX_SECRET))
    talking = _connect(organization, talking_account, mode=Connection.Mode.SANDBOX)
    _, key = create_key(organization, name="Benchmark", actor="benchmark")
    return Customer(organization=organization, quiet=quiet, talking=talking, api_key=key, account=account)


def queue_messages(connection: Connection, *, count: int, lane: int = Message.Lane.BULK) -> None:
    """Insert due messages as the outbox would have, each to another number and with another text."""
    now = timezone.now()
    for begin in range(0, count, _CHUNK):
        messages = [
            Message(
                organization=connection.organization,
                connection=connection,
                lane=lane,
                phone=f"+49151{number:08d}",
                region="DE",
                sender=connection.sends_as,
                body=_TEXT.format(number=number),
                encoding="GSM-7",
                segments=1,
                status=Status.QUEUED,
                source="benchmark",
                created_at=now,
                updated_at=now,
                due_at=now,
                valid_until=now + timedelta(hours=10),
            )
            for number in range(begin, min(count, begin + _CHUNK))
        ]
        Message.objects.bulk_create(messages)
        MessageEvent.objects.bulk_create(
            MessageEvent(message=message, status=Status.QUEUED, source=MessageEvent.Source.INTAKE, at=now)
            for message in messages
        )


def _connect(organization: Organization, account: SandboxCredentials, *, mode: str) -> Connection:
    draft = candidate(
        organization,
        auth=Connection.Auth.API_KEY,
        mode=mode,
        name=f"Benchmark, {mode}",
        account_sid=account.account_sid,
        api_key_sid=account.api_key_sid,
        api_key_secret=account.api_key_secret,
        signing_token=account.auth_token,
        messaging_service_sid=account.messaging_service_sid,
    )
    return connect(draft, report=None, actor="benchmark", make_default=True)
