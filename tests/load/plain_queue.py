"""Queue messages for the plain Celery design; in a process of its own, with its settings. Argument: how many."""

import sys

from tests.load.plain_celery import send
from tests.load.plain_django import PlainMessage


def queue(count: int) -> None:
    """Insert the rows and publish a task for each."""
    PlainMessage.objects.all().delete()
    rows = [PlainMessage(to=f"+49151{number:08d}", body=_text(number)) for number in range(count)]
    PlainMessage.objects.bulk_create(rows, batch_size=2000)
    with send.app.producer_pool.acquire(block=True) as producer:
        for row in rows:
            send.apply_async((str(row.pk), row.to, row.body), producer=producer)


def _text(number: int) -> str:
    return f"Your parcel arrives today between 10 and 12. Track it at https://example.com/t/{number:07d}"


if __name__ == "__main__":
    queue(int(sys.argv[1]))
