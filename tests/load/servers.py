"""A whole installation of the benchmark's own: the servers and processes of `make run`, in a folder that goes away."""

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from config.launcher import commands
from config.launcher.embedded import prepare_folder, prepare_postgres, prepare_valkey
from config.launcher.environment import CHECKOUT, servers_folder
from config.launcher.keys import new_fernet_key, new_secret
from config.launcher.ports import LOOPBACK, PortBook
from config.launcher.processes import Service, Supervisor

_START_SECONDS = 300.0
# Proxies and certificates may stay; whatever names servers or settings of another installation may not.
_KEPT = ("PATH", "LD_LIBRARY_PATH", "HOME", "LANG", "TMPDIR", "VIRTUAL_ENV", "PYTHONDONTWRITEBYTECODE")


class Installation:
    """The processes of one benchmark. Data are flushed to disk as under `make run`; the settings are production's."""

    def __init__(self, *, workers: int, window: int, is_debug: bool = False) -> None:
        self.workers = workers
        self.supervisor = Supervisor()
        self._beside: dict[str, subprocess.Popen[bytes]] = {}
        self.supervisor.listen_to_signals()
        self._ports = PortBook()
        self.folder = Path(tempfile.mkdtemp(prefix="heliograph-bench-"))
        self.folder.chmod(0o711)  # the service user of the servers has to pass
        self._servers = servers_folder(self.folder)
        self._listener = self._ports.listen(18_000)
        self._plain_listener = self._ports.listen(18_500)
        web = self._listener.getsockname()[1]
        sandbox = self._ports.claim(19_009)
        self.web_url = f"http://{LOOPBACK}:{web}"
        self.plain_url = f"http://{LOOPBACK}:{self._plain_listener.getsockname()[1]}"
        self.plain_token = new_secret()
        self.sandbox_url = f"http://{LOOPBACK}:{sandbox}"
        self.environment = {
            **{name: os.environ[name] for name in _KEPT if name in os.environ},
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "HELIOGRAPH_DATA": str(self.folder),
            "DEBUG": "1" if is_debug else "0",
            "SECURE_SSL_REDIRECT": "0",
            "SECRET_KEY": new_secret(),
            "CREDENTIAL_KEYS": new_fernet_key(),
            "PUBLIC_BASE_URL": self.web_url,
            "SANDBOX_ENABLED": "1",
            "SANDBOX_SECRET": new_secret(),
            "SANDBOX_URL": self.sandbox_url,
            "SANDBOX_PORT": str(sandbox),
            "TWILIO_BASE_URL": self.sandbox_url,  # nothing can reach the real Twilio, whatever the connection
            "SEND_WINDOW": str(window),
            "API_RATE": "1000000",
            "LOG_LEVEL": "WARNING",
            "STATIC_ROOT": str(self.folder / "static"),
            "PLAIN_BASE_URL": self.plain_url,
            "PLAIN_AUTH_TOKEN": self.plain_token,
        }

    def start_servers(self) -> None:
        """Start PostgreSQL, Valkey and the sandbox, and make the tables."""
        prepare_folder(self._servers)
        postgres = prepare_postgres(self._servers, ports=self._ports, logs=self.folder)
        valkey = prepare_valkey(self._servers, ports=self._ports, logs=self.folder)
        self.environment |= {"DATABASE_URL": postgres.url, "REDIS_URL": valkey.url}
        self._start(
            postgres.service,
            valkey.service,
            self._service("sandbox", commands.sandbox(), answers=lambda: _answers(f"{self.sandbox_url}/")),
        )
        code, output = self.supervisor.run(
            self._service("migrate", commands.manage("migrate", "--no-input", "-v", "0"))
        )
        if code:
            raise RuntimeError(f"migrate failed:\n{output}")

    def start_web(self) -> None:
        """Start the web server."""
        number = self._listener.fileno()
        self._start(
            self._service(
                "web",
                commands.web(listener=number),
                keep_open=(number,),
                answers=lambda: _answers(f"{self.web_url}/health/live"),
            )
        )

    def collect_static(self) -> None:
        """Gather the static files: pages of production name them by their contents."""
        self.run_to_end("manage.py", "collectstatic", "--no-input", "-v", "0")

    def make_plain_tables(self) -> None:
        """Make the tables of the plain project."""
        self.run_to_end("-m", "tests.load.plain_tables")

    def start_plain_web(self) -> None:
        """Start the plain Django project, by the command of our web server."""
        number = self._plain_listener.fileno()
        self._start(
            self._service(
                "plain",
                commands.web(listener=number, application="tests.load.plain_django:application"),
                keep_open=(number,),
                answers=lambda: _answers(f"{self.plain_url}/"),
            )
        )

    def start_workers(self) -> None:
        """Start the workers and the clock of the periodic tasks."""
        services = [
            self._service(f"worker{number}", commands.worker(number=number)) for number in range(1, self.workers + 1)
        ]
        clerk = self._service("clerk", commands.clerk())
        self._start(*services, clerk, self._service("beat", commands.beat(schedule=self.folder / "beat-schedule")))

    def start_plain_workers(self, *, pool: str, processes: int, concurrency: int) -> None:
        """Start workers of the plain Celery design, each with so many tasks at once."""
        for number in range(1, processes + 1):
            command = [
                *commands.manage()[:1],
                *("-m", "celery", "-A", "tests.load.plain_celery", "worker", "--pool", pool),
                *("--concurrency", str(concurrency), "-n", f"celery{number}@%h", "--without-gossip"),
                *("--without-mingle", "-l", "warning"),
            ]
            with (self.folder / f"celery{number}.log").open("ab") as log:
                self._beside[f"celery{number}"] = subprocess.Popen(
                    command,
                    env=self.environment,
                    cwd=CHECKOUT,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )

    def stop_plain_workers(self) -> None:
        """Stop them with their children, at once: nothing of theirs is to be kept."""
        for process in self._beside.values():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        self._beside.clear()

    def run_to_end(self, *command: str) -> str:
        """Run a helper to its end and return what it printed; raises RuntimeError where it failed."""
        ran = subprocess.run(
            [*commands.manage()[:1], *command],
            env=self.environment,
            cwd=CHECKOUT,
            capture_output=True,
            text=True,
            check=False,
        )
        if ran.returncode:
            raise RuntimeError(f"{' '.join(command)} failed:\n{ran.stdout[-2000:]}{ran.stderr[-2000:]}")
        return ran.stdout

    def pids(self) -> dict[str, int]:
        """Return the process ids by name: postgres, valkey, sandbox, web, worker1 …, beat."""
        return {**self.supervisor.pids(), **{name: process.pid for name, process in self._beside.items()}}

    def wait_until(self, is_met: Callable[[], bool], *, seconds: float, what: str, every: float = 0.1) -> None:
        """Wait; raises RuntimeError naming `what` did not come about, with the ends of the workers' logs."""
        if not self.supervisor.wait_until(is_met, seconds=seconds, every=every):
            tails = [self.supervisor.log_tail(name) for name in self.pids() if name.startswith(("worker", "web"))]
            raise RuntimeError(f"{what}: not within {seconds:.0f} s.{''.join(tails)}")

    def stop(self) -> None:
        """Stop everything and remove the folder."""
        self.stop_plain_workers()
        self.supervisor.stop()
        self._ports.close()
        self._listener.close()
        self._plain_listener.close()
        for folder in {self._servers, self.folder}:
            shutil.rmtree(folder, ignore_errors=True)

    def run_beside(self, *command: str) -> "subprocess.Popen[str]":
        """Start a helper process of a scenario, which talks over its standard input and output."""
        return subprocess.Popen(
            [*commands.manage()[:1], *command],
            env=self.environment,
            cwd=CHECKOUT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def _start(self, *services: Service) -> None:
        for service in services:
            self.supervisor.start(service)
        for service in services:
            self.supervisor.wait_answering(service.name, seconds=_START_SECONDS)

    def _service(
        self,
        name: str,
        command: list[str],
        *,
        keep_open: tuple[int, ...] = (),
        answers: Callable[[], bool] | None = None,
    ) -> Service:
        return Service(
            name=name,
            command=command,
            log=self.folder / f"{name}.log",
            environment=self.environment,
            folder=CHECKOUT,
            keep_open=keep_open,
            is_answering=answers,
        )


def _answers(url: str) -> bool:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=3):
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
