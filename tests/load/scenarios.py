"""The order in which things are measured: first what wants no workers, then what does, last what fills the database."""

from argparse import Namespace
from collections.abc import Callable
from typing import Any

from django.conf import settings

from integrations.sandbox.control import SandboxControl
from messaging.receipts.models import Callback
from messaging.sending.models import Message
from messaging.sending.pulse import alive_workers
from tests.load.attack import measure_attack
from tests.load.beside import measure_beside_broadcast
from tests.load.broadcasts import measure_broadcast
from tests.load.contacts import measure_contacts
from tests.load.csv_rows import measure_csv_rows
from tests.load.figures import middle
from tests.load.log import measure_log
from tests.load.memory import measure_memory
from tests.load.plain_design import POOLS, measure_plain_design
from tests.load.posts import PostProblem
from tests.load.rows import Customer, make_customer, queue_messages
from tests.load.runs import measure_runs
from tests.load.sandbox_cost import measure_bare_posts
from tests.load.servers import Installation
from tests.load.single import measure_single
from tests.load.throughput import measure_drain, measure_with_callbacks
from tests.load.web_rates import (
    WARM_UP,
    measure_callbacks,
    measure_intake,
    measure_plain_callbacks,
    measure_plain_intake,
)

_WARM_UP = 200
Say = Callable[[str], None]


def run(place: Installation, *, options: Namespace, results: dict[str, Any], say: Say) -> None:
    """Measure what the options ask for and put it into `results`."""
    control = SandboxControl(settings.SANDBOX_URL, settings.SANDBOX_SECRET)
    control.set_dials({"latency_ms": options.latency})
    customer = make_customer()
    wanted = set(options.only)
    if "csv" in wanted:
        say(f"A file of {options.rows:,} rows …")
        results["csv"] = measure_csv_rows(customer.organization, count=options.rows)
    if "broadcast" in wanted:
        say(f"The check of a broadcast to {options.rows:,} rows …")
        results["broadcast"] = measure_broadcast(customer.quiet, count=options.rows)
    if "attack" in wanted:
        say(f"An attack on a form, {options.attack:,} requests in ten simulated minutes, by two attackers …")
        addresses, prefixes = max(1, options.attack // 4), max(1, options.attack * 300 // 20_000)
        results["attack"] = measure_attack(
            customer.organization, requests=options.attack, addresses=addresses, prefixes=prefixes
        )
    if wanted & {"intake", "callbacks", "plain"}:
        place.make_plain_tables()
    if wanted & {"intake", "callbacks"}:
        place.start_plain_web()
    place.start_web()
    if "contacts" in wanted:
        results["contacts"] = measure_contacts(say=say)
    _measure_web(place, customer=customer, options=options, results=results, say=say)
    if "plain" in wanted:
        _measure_plain_designs(place, customer=customer, options=options, results=results, say=say)
    if wanted & {"bare", "off", "on", "single", "beside", "runs", "memory"}:
        _measure_sending(place, customer=customer, options=options, results=results, say=say)
    if "log" in wanted:
        few, many = options.log_rows
        say(f"The message log, filled to {few:,} and to {many:,} rows …")
        place.collect_static()
        results["log"] = measure_log(customer, sizes=(few, many), say=say)


def _measure_web(
    place: Installation, *, customer: Customer, options: Namespace, results: dict[str, Any], say: Say
) -> None:
    """Ours and the plain project in turns, so that what disturbs the machine for a while disturbs both."""
    if "intake" in options.only:
        ours, plain = [], []
        for number in range(1, options.runs + 1):
            say(f"API intake and the plain view, {options.intake} requests each (run {number}) …")
            try:
                plain.append(measure_plain_intake(place, count=options.intake))
                ours.append(measure_intake(place, customer=customer, count=options.intake))
            except PostProblem as problem:
                results["intake"] = {"problem": str(problem)}
                return
        results |= {"intake": middle(ours), "plain_intake": middle(plain), "intake_runs": [plain, ours]}
    if "callbacks" in options.only:
        each = options.callbacks + WARM_UP
        queue_messages(customer.talking, count=each, lane=Message.Lane.BULK)
        waiting = Message.objects.filter(connection=customer.talking)
        messages = list(waiting.values_list("pk", flat=True)[:each])
        ours, plain = [], []
        for number in range(1, options.runs + 1):
            say(f"Callbacks and the plain view, {options.callbacks} each (run {number}) …")
            plain.append(measure_plain_callbacks(place, count=each))
            ours.append(measure_callbacks(place, customer=customer, messages=messages))
        waiting.update(status="canceled")
        # What was taken is not to be applied while something else is measured.
        Callback.objects.filter(connection=customer.talking).update(outcome=Callback.Outcome.NOTHING_NEW)
        results |= {"callbacks": middle(ours), "plain_callbacks": middle(plain), "callbacks_runs": [plain, ours]}


def _measure_plain_designs(
    place: Installation, *, customer: Customer, options: Namespace, results: dict[str, Any], say: Say
) -> None:
    results["plain_celery"] = {}
    for pool in POOLS:
        say(f"One Celery task a message, {pool}, {options.plain} messages …")
        try:
            figures = measure_plain_design(place, customer=customer, count=options.plain, pool=pool)
        except RuntimeError as problem:
            say(f"  not measured: {problem}")
        else:
            results["plain_celery"][pool] = figures


def _measure_sending(
    place: Installation, *, customer: Customer, options: Namespace, results: dict[str, Any], say: Say
) -> None:
    say("Starting the workers …")
    place.start_workers()
    place.wait_until(lambda: len(alive_workers()) >= place.workers, seconds=60, what="Start of the workers")
    measure_drain(place, through=customer.quiet, count=min(_WARM_UP, options.messages))
    if "single" in options.only:
        say(f"Single messages, {options.singles} …")
        results["single"] = measure_single(place, customer=customer, count=options.singles, latency_ms=options.latency)
    bare, off = [], []
    for number in range(1, options.runs + 1):
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
    if "beside" in options.only:
        say(f"Single messages beside a broadcast to {options.recipients:,}, {options.singles} …")
        results["beside"] = measure_beside_broadcast(
            place,
            customer=customer,
            count=options.singles,
            recipients=options.recipients,
            latency_ms=options.latency,
        )
    if "runs" in options.only:
        say(f"{options.due:,} runs of an automation, due at one moment …")
        results["runs"] = measure_runs(place, customer=customer, count=options.due)
    if "memory" in options.only:
        say(f"Memory over {options.memory:,} messages …")
        results["memory"] = measure_memory(place, through=customer.quiet, count=options.memory)
