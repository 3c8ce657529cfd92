"""Where Twilio reports: prove, store as it came, apply, answer fast."""

import uuid

import structlog
from django.db import DatabaseError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseForbidden
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from integrations.connections.models import Connection
from integrations.connections.selectors import find_by_hook_key
from messaging.sending.callback_urls import status_purpose

from .apply import apply_status
from .genuine import Refusal, check_webhook, refuse
from .models import Callback

log = structlog.get_logger(__name__)
_LONGEST_VALUE = 4_000


@csrf_exempt
@require_POST
def status(request: HttpRequest, hook_key: str, message_id: uuid.UUID) -> HttpResponse:
    """Take a status callback: 204 when stored, 403 when not genuine, 404 for a connection that does not exist."""
    connection = connection_of(hook_key)
    proof = check_webhook(request, connection, purpose=status_purpose(message_id))
    if isinstance(proof, Refusal):
        refuse(request, connection, proof)
        return HttpResponseForbidden("This request does not carry a valid signature.", content_type="text/plain")
    callback = store(request, connection, kind=Callback.Kind.STATUS, checked_with=proof, message_id=message_id)
    try:
        apply_status(callback)
    except DatabaseError:
        # It is stored: the sweep applies it. Telling Twilio to come again would only double it.
        log.exception("callback_applied_later", callback=callback.pk)
    return HttpResponse(status=204)


def connection_of(hook_key: str) -> Connection:
    """Return the connection of a webhook address; raise Http404 for an unknown one."""
    connection = find_by_hook_key(hook_key)
    if connection is None:
        raise Http404("There is no such webhook address.")
    return connection


def store(
    request: HttpRequest, connection: Connection, *, kind: str, checked_with: str, message_id: uuid.UUID | None = None
) -> Callback:
    """Keep a genuine webhook as it came; NUL signs, which PostgreSQL cannot hold, are left out."""
    params = {
        name.replace("\x00", "")[:200]: str(value).replace("\x00", "")[:_LONGEST_VALUE]
        for name, value in request.POST.items()
    }
    return Callback.objects.create(
        connection=connection,
        kind=kind,
        message_id=message_id,
        params=params,
        idempotency_token=request.headers.get("I-Twilio-Idempotency-Token", "")[:64],
        checked_with=checked_with,
    )
