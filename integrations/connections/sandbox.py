"""One click to the sandbox: a connection to the simulated Twilio, with credentials nobody has to copy."""

import uuid

from django.conf import settings

from integrations.organizations.models import Organization, User
from integrations.sandbox.control import SandboxControl, SandboxError
from integrations.sandbox.credentials import derive_credentials, new_account_sid

from .check import run_check
from .connecting import adopt, candidate, connect, find_request
from .models import Connection
from .webhooks import inbound_url


class SandboxDisabled(Exception):
    """The operator has not turned the sandbox on."""


def connect_sandbox(
    organization: Organization,
    *,
    actor: User | str | None,
    name: str = "Sandbox",
    make_default: bool = False,
    request_id: uuid.UUID | None = None,
    ip: str = "",
    with_check: bool = True,
    mps: object = None,
) -> Connection:
    """Connect the organization to an account of its own in the sandbox and return the connection.

    Works while the sandbox is down: its accounts come into being when they are first used. Raises SandboxDisabled.
    """
    if not settings.SANDBOX_ENABLED:
        raise SandboxDisabled("The sandbox is turned off on this installation.")
    earlier = find_request(organization, request_id)
    if earlier is not None:
        return earlier
    account = derive_credentials(settings.SANDBOX_SECRET, new_account_sid(settings.SANDBOX_SECRET))
    draft = candidate(
        organization,
        auth=Connection.Auth.API_KEY,
        mode=Connection.Mode.SANDBOX,
        name=name,
        account_sid=account.account_sid,
        api_key_sid=account.api_key_sid,
        api_key_secret=account.api_key_secret,
        signing_token=account.auth_token,
        messaging_service_sid=account.messaging_service_sid,
        verify_service_sid=account.verify_service_sid,
        mps=mps,
    )
    connection = connect(draft, report=None, actor=actor, make_default=make_default, request_id=request_id, ip=ip)
    point_replies_here(connection)
    if with_check:
        connection.save(update_fields=adopt(connection, run_check(connection)))
    return connection


def point_replies_here(connection: Connection) -> bool:
    """Let the sandbox's Messaging Service hand incoming messages to this connection; False where it does not answer."""
    control = SandboxControl(settings.SANDBOX_URL, settings.SANDBOX_SECRET)
    try:
        control.change_service(connection.account_sid, inbound_request_url=inbound_url(connection))
    except SandboxError:
        return False
    return True
