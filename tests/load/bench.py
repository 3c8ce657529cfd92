"""`make bench`: how fast this machine sends, what a message costs, and whether the targets are met.

Everything takes about 25 minutes on two cores, most of it for `log` (filling five million rows, 15 minutes and 6 GB of
disk) and `memory` (three minutes). ARGS="--only intake callbacks plain bare off" asks for a part; ARGS="--help" says
more.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import django

from config.launcher.environment import CHECKOUT
from config.launcher.errors import LauncherError
from config.launcher.processes import StopRequestedError
from tests.load.machine import describe_machine
from tests.load.report import print_table, print_verdicts, write_results
from tests.load.servers import Installation
from tests.load.targets import judge

ON_DEMAND = ("contacts",)  # a million rows take minutes to make
SCENARIOS = (
    "csv", "broadcast", "attack", "intake", "callbacks", "plain", "bare", "single", "off", "on", "beside", "runs",
    "memory",
    "log",
)  # fmt: skip


def main(arguments: Sequence[str]) -> int:
    """Run the scenarios and return 0; 1 where something could not be measured at all, 130 after Ctrl-C."""
    options = _read(arguments)
    place = Installation(workers=options.workers, window=options.window, is_debug=options.debug)
    results: dict[str, Any] = {
        "machine": describe_machine(),
        "workers": options.workers,
        "window": options.window,
        "latency_ms": options.latency,
    }
    code = 0
    try:
        _say("Starting PostgreSQL, Valkey and the sandbox …")
        place.start_servers()
        # Models can be imported only when the settings can be read, and those name the servers.
        os.environ.update(place.environment)
        django.setup()
        from tests.load.scenarios import run

        run(place, options=options, results=results, say=_say)
    except StopRequestedError:
        return 130
    except (LauncherError, RuntimeError) as error:
        # What was measured before is worth keeping: it may have taken half an hour.
        print(f"The benchmark failed: {error}", file=sys.stderr)
        code = 1
    finally:
        place.stop()
    verdicts = judge(results)
    results["targets"] = [vars(verdict) for verdict in verdicts]
    write_results(results, options.output)
    print_table(results)
    print_verdicts(verdicts)
    print(f"\nEverything measured: {options.output}")
    return code


def _read(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench ARGS=…", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--messages", type=int, default=6000, help="messages of a run with callbacks off")
    parser.add_argument("--runs", type=int, default=3, help="turns of what is compared with something else")
    parser.add_argument("--with-callbacks", type=int, default=2000, help="messages with callbacks on")
    parser.add_argument("--singles", type=int, default=40, help="single messages on an idle system")
    parser.add_argument("--intake", type=int, default=1600, help="requests to the API, and to the plain view")
    parser.add_argument("--callbacks", type=int, default=2400, help="callbacks, and requests to the plain view")
    parser.add_argument("--plain", type=int, default=1500, help="messages of the plain Celery design, for each pool")
    parser.add_argument("--recipients", type=int, default=50_000, help="recipients of the broadcast")
    parser.add_argument(
        "--attack", type=int, default=20_000, help="requests of an attack on a form, from a quarter as many addresses"
    )
    parser.add_argument("--due", type=int, default=10_000, help="runs of an automation that are due at one moment")
    parser.add_argument("--memory", type=int, default=100_000, help="messages over which the memory is looked at")
    parser.add_argument(
        "--log-rows", type=int, nargs=2, default=[50_000, 5_000_000], metavar=("FEW", "MANY"), help="sizes of the log"
    )
    parser.add_argument("--rows", type=int, default=100_000, help="rows of an uploaded file")
    parser.add_argument("--workers", type=int, default=2, help="worker processes")
    parser.add_argument("--window", type=int, default=100, help="messages in flight for each worker (SEND_WINDOW)")
    parser.add_argument("--latency", type=int, default=100, help="simulated latency of Twilio in milliseconds")
    parser.add_argument(
        "--only", nargs="+", choices=(*SCENARIOS, *ON_DEMAND), default=list(SCENARIOS), help="leave the others out"
    )
    parser.add_argument("--debug", action="store_true", help="run with DEBUG=1, as make run does")
    parser.add_argument("--output", type=Path, default=CHECKOUT / "bench-results.json", help="where to write")
    return parser.parse_args(arguments)


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
