"""The door for webhooks of others: no session, no cookie; problems in the shape of the API's."""

from django.db import Error as DatabaseError
from django.http import HttpRequest, HttpResponse, JsonResponse, UnreadablePostError
from django.views.decorators.csrf import csrf_exempt

from integrations.encryption import SecretUnreadable
from messaging.api.failures import explain_failure
from messaging.api.problems import ApiProblem, respond

from .hook_calls import take_call


@csrf_exempt
def hook(request: HttpRequest, automation_key: str) -> HttpResponse:
    """Take a webhook: 202 with the run it began, 200 with that of a repeated call, else a problem."""
    try:
        if request.method != "POST":
            raise ApiProblem("method_not_allowed", headers={"Allow": "POST"})
        answer = take_call(request, automation_key)
    except (ApiProblem, DatabaseError, SecretUnreadable, UnreadablePostError) as failure:
        response = respond(explain_failure(failure))
    else:
        response = JsonResponse(answer.as_json(), status=answer.http_status)
    response["Cache-Control"] = "no-store"
    return response
