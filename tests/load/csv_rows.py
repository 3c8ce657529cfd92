"""How fast a file of 100,000 rows is stored, looked at, read, and gone on with near its end; and in how much memory."""

import time
import tracemalloc
from collections.abc import Iterator
from typing import Any

from integrations.organizations.models import Organization
from messaging.csv_files.columns import phone_field
from messaging.csv_files.inspection import Inspection, inspect, read_rows
from messaging.csv_files.models import Upload
from messaging.csv_files.reading import Position
from messaging.csv_files.storing import store_upload


def measure_csv_rows(organization: Organization, *, count: int = 100_000) -> dict[str, Any]:
    """Return seconds of each step, rows a second, and the highest memory of reading, from a run of its own."""
    began = time.perf_counter()
    upload = store_upload(organization, file=table(count), name="benchmark.csv", actor=None)
    stored = time.perf_counter()
    inspection = inspect(upload, fields=(phone_field(region="DE"),))
    inspected = time.perf_counter()
    rows, saved = 0, inspection.first
    for row in read_rows(upload, inspection=inspection):
        rows += 1
        if rows == count * 9 // 10:
            saved = row.next_position
    read = time.perf_counter()
    rest = sum(1 for _ in read_rows(upload, inspection=inspection, start=saved))
    first_again = _seconds_to_first(upload, inspection, saved)
    if (rows, rest) != (count, count - count * 9 // 10):
        raise RuntimeError(f"{rows} rows were read and {rest} from the saved position, of {count}.")
    return {
        "rows": rows,
        "megabytes": round(upload.size / 1e6, 1),
        "store_seconds": round(stored - began, 2),
        "inspect_seconds": round(inspected - stored, 2),
        "read_seconds": round(read - inspected, 2),
        "rows_per_second": round(rows / (read - inspected)),
        "resume_at_90_percent_ms": round(first_again * 1000, 1),
        "memory_peak_mb": round(_peak(upload, inspection) / 1e6, 1),
    }


def table(count: int) -> Iterator[bytes]:
    """Yield a file with a heading and so many rows of people."""
    yield b"Name,Phone,City,Note\r\n"
    for number in range(count):
        name = f'"Recipient, {number}"' if number % 5 == 0 else f"Empfänger {number}"
        yield f"{name},+49151{number:08d},Köln,Your parcel {number} is here\r\n".encode()


def _seconds_to_first(upload: Upload, inspection: Inspection, saved: Position) -> float:
    began = time.perf_counter()
    next(read_rows(upload, inspection=inspection, start=saved))
    return time.perf_counter() - began


def _peak(upload: Upload, inspection: Inspection) -> int:
    tracemalloc.start()
    try:
        for _ in read_rows(upload, inspection=inspection):
            pass
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
