"""The measure for our engine: the design that one writes first. A Celery task a message, Twilio's client, one UPDATE.

Number and text travel in the task, so that nothing is read; the client lives as long as the process; no result is
stored and no event is written; a failure is not looked at. It runs over a table like ours (plain_django) and keeps
nothing from being sent twice. With PLAIN_TUNED it also keeps its connections, to the database and to Twilio.
"""

import os

from celery import Celery
from requests.adapters import HTTPAdapter
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

from tests.load.plain_django import PlainMessage, timezone

QUEUE = "plain"
_POOL = 256

app = Celery("plain")
app.conf.update(
    broker_url=os.environ["REDIS_URL"],
    task_ignore_result=True,
    task_default_queue=QUEUE,
    worker_send_task_events=False,
    worker_hijack_root_logger=False,
    broker_connection_retry_on_startup=True,
)
# What somebody finds out later, who has measured: that Celery closes the database's connections around each task unless
# it is told not to, and that the client keeps ten connections however many threads there are.
IS_TUNED = os.environ.get("PLAIN_TUNED") == "1"
if IS_TUNED:
    app.conf["CELERY_DB_REUSE_MAX"] = 1_000_000


class ToTheSandbox(TwilioHttpClient):
    """Twilio's own HTTP client, led to the sandbox; tuned, with as many kept connections as there are threads."""

    def __init__(self) -> None:
        super().__init__(timeout=10)
        if IS_TUNED:
            self.session.mount("http://", HTTPAdapter(pool_connections=1, pool_maxsize=_POOL))

    def request(self, method: str, url: str, *arguments: object, **options: object) -> object:
        place = os.environ["SANDBOX_URL"] + "/" + url.removeprefix("https://")
        return super().request(method, place, *arguments, **options)


_client: Client | None = None


def client() -> Client:
    """Return the process's client."""
    global _client
    if _client is None:
        _client = Client(
            os.environ["PLAIN_USERNAME"],
            os.environ["PLAIN_PASSWORD"],
            os.environ["PLAIN_ACCOUNT"],
            http_client=ToTheSandbox(),
        )
    return _client


@app.task(name="plain.send")
def send(message_id: str, to: str, body: str) -> None:
    """Hand one message over and write down that it was."""
    sent = client().messages.create(to=to, body=body, messaging_service_sid=os.environ["PLAIN_SERVICE"])
    PlainMessage.objects.filter(pk=message_id).update(status="accepted", sid=sent.sid, handed_over_at=timezone.now())
