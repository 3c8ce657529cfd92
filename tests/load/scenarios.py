"""The order in which things are measured: first what wants no workers, then what does."""

from argparse import Namespace
from collections.abc import Callable
from typing import Any

from django.conf import settings

from integrations.sandbox.control import SandboxControl
from messaging.sending.pulse import alive_workers
from tests.load.broadcasts import measure_broadcast
from tests.load.contacts import measure_contacts
from tests.load.csv_rows import measure_csv_rows
from tests.load.figures import middle
from tests.load.intake import IntakeProblem, measure_intake
from tests.load.rows import make_customer
from tests.load.sandbox_cost import measure_bare_posts
from tests.load.servers import Installation
from tests.load.single import measure_single
from tests.load.throughput import measure_drain, measure_with_callbacks

_WARM_UP = 200


def run(place: Installation, *, options: Namespace, results: dict[str, Any], say: Callable[[str], None]) -> None:
    """Measure what the options ask for and put it into `results`."""
    control = SandboxControl(settings.SANDBOX_URL, settings.SANDBOX_SECRET)
    control.set_dials({"latency_ms": options.latency})
    customer = make_customer()
    if "csv" in options.only:
        say(f"A file of {options.rows:,} rows …")
        results["csv"] = measure_csv_rows(customer.organization, count=options.rows)
    if "broadcast" in options.only:
        say(f"The check of a broadcast to {options.rows:,} rows …")
        results["broadcast"] = measure_broadcast(customer.quiet, count=options.rows)
    place.start_web()
    if "contacts" in options.only:
        results["contacts"] = measure_contacts(say=say)
    if "intake" in options.only:
        say(f"API intake, {options.intake} requests …")
        try:
            results["intake"] = measure_intake(place, customer=customer, count=options.intake)
        except IntakeProblem as problem:
            results["intake"] = {"problem": str(problem)}
    say("Starting the workers …")
    place.start_workers()
    place.wait_until(lambda: len(alive_workers()) >= place.workers, seconds=60, what="Start of the workers")
    measure_drain(place, through=customer.quiet, count=min(_WARM_UP, options.messages))
    if "single" in options.only:
        say(f"Single messages, {options.singles} …")
        results["single"] = measure_single(place, customer=customer, count=options.singles, latency_ms=options.latency)
    bare, off = [], []
    for number in range(1, options.runs + 1):
        # In turns, so that what disturbs the machine for a while disturbs both.
        if "bare" in options.only:
            say(f"Bare posts, {options.messages} (run {number}) …")
            bare.append(measure_bare_posts(place, customer=customer, count=options.messages, window=options.window))
        if "off" in options.only:
            say(f"Sending with callbacks off, {options.messages} messages (run {number}) …")
            off.append(measure_drain(place, through=customer.quiet, count=options.messages))
    if bare:
        results["bare_posts"] = middle(bare)
    if off:
        results["callbacks_off"] = middle(off)
        results["callbacks_off_runs"] = off
    if "on" in options.only:
        say(f"Sending with callbacks on, {options.with_callbacks} messages …")
        results["callbacks_on"] = measure_with_callbacks(place, through=customer.talking, count=options.with_callbacks)
