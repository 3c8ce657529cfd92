"""How long a file of 100,000 rows takes until every row is checked, in how much memory; and how fast rows are fed."""

import resource
import time
from typing import Any

from integrations.connections.models import Connection
from messaging.broadcasts import creating, feeder, lifecycle
from messaging.broadcasts.creating import Plan
from messaging.broadcasts.forms import columns_wanted
from messaging.broadcasts.models import Broadcast
from messaging.csv_files.inspection import inspect
from messaging.csv_files.storing import store_upload
from messaging.jobs import work

from .csv_rows import table

TEXT = "Hello {{ name }}, our depot in {{ city }} is closed on Friday. Your parcels come on Saturday."


def measure_broadcast(connection: Connection, *, count: int = 100_000) -> dict[str, Any]:
    """Return the seconds from the upload to the dry run, rows a second, and the process's highest memory.

    The check is done here, as the clerk does it; nothing is sent: the broadcast is canceled once its window is full.
    """
    organization = connection.organization
    began = time.perf_counter()
    upload = store_upload(organization, file=table(count), name="benchmark.csv", actor=None)
    plan = Plan(name="Benchmark", body=TEXT, audience=Broadcast.Audience.CSV, connection=connection)
    broadcast = creating.create(organization, plan=plan, actor=None)
    found = inspect(upload, fields=columns_wanted(broadcast))
    source = {"upload": str(upload.pk), "inspection": found.as_json(), "columns": found.guess}
    lifecycle.back_to_draft(broadcast, source=source)
    uploaded = time.perf_counter()
    lifecycle.begin_check(broadcast)
    while broadcast.check_job_id and not work.run(broadcast.check_job_id):
        pass
    checked = time.perf_counter()
    broadcast.refresh_from_db()
    if broadcast.ready_count + broadcast.left_out_count + broadcast.bad_count != count:
        raise RuntimeError(f"Of {count} rows {broadcast.ready_count} are ready: {broadcast.check_error}")
    fed, fed_seconds = _fill_the_window(broadcast)
    return {
        "rows": count,
        "ready": broadcast.ready_count,
        "upload_seconds": round(uploaded - began, 2),
        "check_seconds": round(checked - uploaded, 2),
        "rows_per_second": round(count / (checked - uploaded)),
        "ms_per_row": round(1000 * (checked - uploaded) / count, 3),
        "process_peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "fed_per_second": round(fed / fed_seconds) if fed_seconds else 0,
    }


def _fill_the_window(broadcast: Broadcast) -> tuple[int, float]:
    lifecycle.skip_bad_rows(broadcast, actor=None)
    lifecycle.start(broadcast, actor=None)
    began = time.perf_counter()
    fed = feeder.feed(broadcast.pk)
    seconds = time.perf_counter() - began
    lifecycle.cancel(broadcast, actor=None)
    return fed, seconds
