"""The measure for our web: a Django project without any middleware, whose two views do the least that can be done.

One view inserts a row like a message; the other checks Twilio's signature and inserts the raw callback. Same gunicorn
command, same database, connections kept as ours are. Nothing is looked up and nobody is asked for a key.
"""

import json
import os
import uuid

import environ
from django.conf import settings

settings.configure(
    SECRET_KEY="only-for-the-benchmark",
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    MIDDLEWARE=[],
    INSTALLED_APPS=[],
    DATABASES={"default": {**environ.Env.db_url_config(os.environ["DATABASE_URL"]), "CONN_MAX_AGE": 60}},
    USE_TZ=True,
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    PUBLIC_BASE_URL=os.environ.get("PLAIN_BASE_URL", ""),
    AUTH_TOKEN=os.environ.get("PLAIN_AUTH_TOKEN", ""),
)

from django.core.wsgi import get_wsgi_application  # noqa: E402

application = get_wsgi_application()

from django.db import models  # noqa: E402
from django.http import HttpRequest, HttpResponse, JsonResponse  # noqa: E402
from django.urls import path  # noqa: E402
from django.utils import timezone  # noqa: E402
from twilio.request_validator import RequestValidator  # noqa: E402


class PlainMessage(models.Model):  # noqa: DJ008 - nobody looks at it
    """What any system would keep of a message."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    to = models.CharField(max_length=16)
    body = models.TextField()
    status = models.CharField(max_length=12, default="queued", db_index=True)
    created_at = models.DateTimeField(default=timezone.now, db_index=True)
    sid = models.CharField(max_length=34, blank=True)
    handed_over_at = models.DateTimeField(null=True)

    class Meta:
        app_label = "plain"


class PlainCallback(models.Model):  # noqa: DJ008 - nobody looks at it
    """A callback as it came."""

    message_id = models.UUIDField(db_index=True)
    params = models.JSONField()
    received_at = models.DateTimeField(default=timezone.now)

    class Meta:
        app_label = "plain"


def insert(request: HttpRequest) -> JsonResponse:
    """Insert one row and answer with its id."""
    order = json.loads(request.body)
    message = PlainMessage.objects.create(to=order["to"], body=order["body"])
    return JsonResponse({"id": message.pk, "status": message.status}, status=202)


def callback(request: HttpRequest, message_id: uuid.UUID) -> HttpResponse:
    """Check the signature and insert the raw row."""
    url = settings.PUBLIC_BASE_URL + request.get_full_path()
    signature = request.headers.get("X-Twilio-Signature", "")
    if not RequestValidator(settings.AUTH_TOKEN).validate(url, request.POST, signature):
        return HttpResponse(status=403)
    PlainCallback.objects.create(message_id=message_id, params=request.POST.dict())
    return HttpResponse(status=204)


urlpatterns = [path("messages", insert), path("status/<uuid:message_id>", callback)]
TABLES = (PlainMessage, PlainCallback)
