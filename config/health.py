"""Is it alive, is it ready, how is it doing: what operators and load balancers ask."""

import hmac

import prometheus_client
from django.conf import settings
from django.db import Error, connection
from django.http import HttpRequest, HttpResponse, JsonResponse

from messaging.sending.health import describe_readiness


def live(request: HttpRequest) -> JsonResponse:
    """Answer as long as the process serves requests at all."""
    return JsonResponse({"status": "alive"})


def ready(request: HttpRequest) -> JsonResponse:
    """Tell of database, Valkey and workers, each in words; 503 where the database is away.

    With Valkey or the workers down messages are still taken and kept, so that is `degraded`, with 200: taking the
    web out of service would turn a delay into a loss.
    """
    report = describe_readiness()
    return JsonResponse(report, status=503 if report["status"] == "down" else 200)


def metrics(request: HttpRequest) -> HttpResponse:
    """Give Prometheus its figures; METRICS_TOKEN, where set, is asked for as a bearer token, else only loopback may.

    What a proxy on this machine passes on comes from loopback, too, but is not local.
    """
    if settings.METRICS_TOKEN:
        offered = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if not hmac.compare_digest(offered.encode(), settings.METRICS_TOKEN.encode()):
            return HttpResponse("A bearer token is needed.", status=401, content_type="text/plain")
    elif request.META.get("REMOTE_ADDR") not in {"127.0.0.1", "::1"} or "X-Forwarded-For" in request.headers:
        return HttpResponse("Set METRICS_TOKEN to read metrics from elsewhere.", status=403, content_type="text/plain")
    try:
        connection.ensure_connection()
    except Error:
        return HttpResponse("The database is away.", status=503, content_type="text/plain")
    return HttpResponse(prometheus_client.generate_latest(), content_type=prometheus_client.CONTENT_TYPE_LATEST)
