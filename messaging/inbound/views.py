"""Where incoming messages arrive."""

import structlog
from django.http import HttpRequest, HttpResponse, HttpResponseForbidden
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from integrations.connections.webhooks import INBOUND
from messaging.receipts.genuine import Refusal, check_webhook, refuse
from messaging.receipts.models import Callback
from messaging.receipts.views import connection_of, store

from .receive import LONGEST_BODY, receive

log = structlog.get_logger(__name__)

NO_ANSWER = '<?xml version="1.0" encoding="UTF-8"?><Response/>'


@csrf_exempt
@require_POST
def inbound(request: HttpRequest, hook_key: str) -> HttpResponse:
    """Take an incoming message and answer with empty TwiML: whatever is to be said goes through the outbox."""
    connection = connection_of(hook_key)
    proof = check_webhook(request, connection, purpose=INBOUND)
    if isinstance(proof, Refusal):
        refuse(request, connection, proof)
        return HttpResponseForbidden("This request does not carry a valid signature.", content_type="text/plain")
    callback = store(request, connection, kind=Callback.Kind.INBOUND, checked_with=proof, longest=LONGEST_BODY)
    try:
        receive(callback)
    except Exception:
        # It is stored, and the sweep takes it in: Twilio would not come again, and gets its answer all the same.
        log.exception("inbound_applied_later", callback=callback.pk)
    return HttpResponse(NO_ANSWER, content_type="text/xml; charset=utf-8")
