"""Where Twilio reports: prove, store as it came, answer. A worker applies it, woken by us (see apply.py)."""

import json
import uuid

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseForbidden
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from integrations.connections.hook_keys import UNCHANGED, find_by_hook_key, recall, unchanged_values
from integrations.connections.models import Connection
from integrations.quick_rows import first_statement, prepared_cursor
from messaging.sending.callback_urls import status_purpose

from .genuine import Refusal, check_webhook, refuse
from .models import Callback
from .wake import wake

_LONGEST_VALUE = 4_000

# Nothing is stored where the connection is no longer the one that the proof was made with.
_STORE_IF_UNCHANGED = f"""
INSERT INTO messaging_callback
    (connection_id, kind, message_id, params, idempotency_token, checked_with, outcome, attempts, received_at)
SELECT c.id, 'status', %s, %s::jsonb, %s, %s, '', 0, now() FROM integrations_connection c WHERE {UNCHANGED}
"""  # noqa: S608 - built from names of ours


@csrf_exempt
@require_POST
def status(request: HttpRequest, hook_key: str, message_id: uuid.UUID) -> HttpResponse:
    """Take a status callback: 204 when stored, 403 when not genuine, 404 for a connection that does not exist."""
    purpose = status_purpose(message_id)
    known = recall(hook_key)
    if known is None or not _store_if_proven(request, known, message_id=message_id, purpose=purpose):
        connection = connection_of(hook_key)
        proof = check_webhook(request, connection, purpose=purpose)
        if isinstance(proof, Refusal):
            refuse(request, connection, proof)
            return HttpResponseForbidden("This request does not carry a valid signature.", content_type="text/plain")
        store(request, connection, kind=Callback.Kind.STATUS, checked_with=proof, message_id=message_id)
    wake()
    return HttpResponse(status=204)


def connection_of(hook_key: str) -> Connection:
    """Return the connection of a webhook address; raise Http404 for an unknown one."""
    connection = find_by_hook_key(hook_key)
    if connection is None:
        raise Http404("There is no such webhook address.")
    return connection


def _store_if_proven(request: HttpRequest, known: Connection, *, message_id: uuid.UUID, purpose: str) -> bool:
    """Store a callback in one statement by what we know of the connection; False where that proves nothing now."""
    proof = check_webhook(request, known, purpose=purpose)
    if isinstance(proof, Refusal):
        return False
    values = [message_id, json.dumps(_params(request)), _idempotency_token(request), proof, *unchanged_values(known)]

    def insert() -> bool:
        with prepared_cursor() as cursor:
            cursor.execute(_STORE_IF_UNCHANGED, values)
            return cursor.rowcount == 1

    return first_statement(insert)


def store(
    request: HttpRequest,
    connection: Connection,
    *,
    kind: str,
    checked_with: str,
    message_id: uuid.UUID | None = None,
    longest: int = _LONGEST_VALUE,
) -> Callback:
    """Keep a genuine webhook as it came; NUL signs, which PostgreSQL cannot hold, are left out."""
    return Callback.objects.create(
        connection=connection,
        kind=kind,
        message_id=message_id,
        params=_params(request, longest=longest),
        idempotency_token=_idempotency_token(request),
        checked_with=checked_with,
    )


def _params(request: HttpRequest, *, longest: int = _LONGEST_VALUE) -> dict[str, str]:
    return {
        name.replace("\x00", "")[:200]: str(value).replace("\x00", "")[:longest] for name, value in request.POST.items()
    }


def _idempotency_token(request: HttpRequest) -> str:
    return request.headers.get("I-Twilio-Idempotency-Token", "")[:64]
