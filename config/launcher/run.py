"""The journey of `make run`: servers, secrets, migrations, the demo, then every process until somebody asks to stop."""

import contextlib
import http.client
import json
import os
import re
import signal
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from config.launcher import commands
from config.launcher.embedded import EmbeddedServer, prepare_folder, prepare_postgres, prepare_valkey
from config.launcher.environment import (
    CHECKOUT,
    PROCESS_FILE,
    RUN_FILE,
    data_folder,
    process_start,
    read_dotenv,
    servers_folder,
    write_private_json,
)
from config.launcher.errors import LauncherError
from config.launcher.keys import keep_secret, new_fernet_key
from config.launcher.lock import lock_folder
from config.launcher.ports import LOOPBACK, PortBook, read_port
from config.launcher.processes import Service, StopRequestedError, Supervisor, follow_parent

WEB_PORT = 8000
SANDBOX_PORT = 9009
START_SECONDS = 300.0  # a first start on a busy machine makes every table
WEB_STAGE, SANDBOX_STAGE = 2, 1  # the sandbox outlives the workers, so that what is on its way gets its answer


def main(arguments: list[str]) -> int:
    """Run everything until Ctrl-C; return 0 after a clean stop, 1 where the start failed (the reason is printed)."""
    _open_standard_files()
    supervisor = Supervisor(say=say)
    supervisor.listen_to_signals()
    if "--with-parent" in arguments:
        follow_parent(signal.SIGTERM)
    launch = Launch(supervisor)
    try:
        launch.start()
        supervisor.watch()
    except StopRequestedError:
        pass
    except (LauncherError, OSError) as error:
        say(f"Heliograph did not start: {error}")
        return 1
    finally:
        launch.stop()
    return 0


@dataclass
class Launch:
    """One run of the installation in its data folder."""

    supervisor: Supervisor
    settings: dict[str, str] = field(default_factory=lambda: {**read_dotenv(CHECKOUT / ".env"), **os.environ})
    ports: PortBook = field(default_factory=PortBook)
    is_locked: bool = False

    def __post_init__(self) -> None:
        self.data = data_folder(self.settings)
        self.logs = self.data / "logs"

    def start(self) -> None:
        """Bring everything up and print where it is; raises LauncherError with what stands in the way."""
        self._prepare_data()
        lock_folder(self.data)
        self.is_locked = True
        self.supervisor.on_change = lambda pids: write_private_json(self.data / PROCESS_FILE, pids)
        listener = self._open_web_port()
        self._choose_sandbox_port()
        self._make_secrets()
        self._start_servers()
        self._write_run_file()
        self._manage("migrate", "migrate", "--no-input", "-v", "0")
        what_to_try = self._manage("seed_demo", "seed_demo") if self._has_sandbox() else ""
        self._start_processes(listener)
        say("")
        say(f"Ready: {self.settings['PUBLIC_BASE_URL']}")
        say(what_to_try.strip("\n") or "SANDBOX_ENABLED is off, so there is no demo organization.")
        say(f"Logs, and e-mails that would have been sent: {self.logs}")
        say("Ctrl-C stops everything; the next `make run` goes on where this one ended.")

    def stop(self) -> None:
        """Stop everything, whatever had been started."""
        if not self.is_locked:
            return
        if self.supervisor.pids():
            say("Stopping … (Ctrl-C again to stop at once)")
        self.supervisor.on_change = None
        self.supervisor.stop()
        for name in (RUN_FILE, PROCESS_FILE):
            (self.data / name).unlink(missing_ok=True)
        self.ports.close()
        say("Stopped.")

    def _prepare_data(self) -> None:
        try:
            # As root the servers run as somebody else, who has to walk through to their own folders.
            self.data.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, parents=True, exist_ok=True)
            self.logs.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise LauncherError(
                f"the data folder {self.data} cannot be made or used ({error.strerror}). Set HELIOGRAPH_DATA to a "
                "folder that you may write to."
            ) from error
        self.settings["HELIOGRAPH_DATA"] = str(self.data)

    def _open_web_port(self) -> int:
        """Listen on the port of the pages; return the descriptor that the web server inherits."""
        memory = self.data / "web.port"
        wanted = self._number("PORT", default=0) or read_port(memory) or WEB_PORT
        listener = self.ports.listen(wanted)
        port = listener.getsockname()[1]
        if port != wanted:
            say(f"Port {wanted} is taken by another program; the pages are on port {port} instead.")
        memory.write_text(f"{port}\n")
        self.settings["PORT"] = str(port)
        self._default("PUBLIC_BASE_URL", f"http://{LOOPBACK}:{port}")
        self._default("ALLOWED_HOSTS", ",".join(_hosts(self.settings["PUBLIC_BASE_URL"])))
        self._listener = listener
        return listener.fileno()

    def _choose_sandbox_port(self) -> None:
        memory = self.data / "sandbox.port"
        wanted = self._number("SANDBOX_PORT", default=0) or read_port(memory) or SANDBOX_PORT
        port = self.ports.claim(wanted)
        if port != wanted:
            say(f"Port {wanted} is taken by another program; the sandbox is on port {port} instead.")
        memory.write_text(f"{port}\n")
        self.settings["SANDBOX_PORT"] = str(port)
        self._default("SANDBOX_URL", f"http://{LOOPBACK}:{port}")

    def _make_secrets(self) -> None:
        for name, file, make in (
            ("SECRET_KEY", "secret_key", None),
            ("CREDENTIAL_KEYS", "credential_keys", new_fernet_key),
            ("SANDBOX_SECRET", "sandbox_secret", None),
        ):
            if not self.settings.get(name):
                self.settings[name] = keep_secret(self.data / file, make=make)
        self._default("DEBUG", "1")
        self._default("SANDBOX_ENABLED", "1")
        self._default("PYTHONUNBUFFERED", "1")

    def _start_servers(self) -> None:
        missing = [name for name in ("DATABASE_URL", "REDIS_URL") if not self.settings.get(name)]
        if not missing:
            return
        folder = servers_folder(self.data)
        try:
            prepare_folder(folder)
        except OSError as error:
            raise LauncherError(f"the folder {folder} cannot be made ({error.strerror}).") from error
        if folder.parent != self.data:
            say(f"{self.data} is closed to other users, so the data of the embedded servers are in {folder}.")
        started: list[EmbeddedServer] = []
        for name in missing:
            prepare = prepare_postgres if name == "DATABASE_URL" else prepare_valkey
            server = prepare(folder, ports=self.ports, logs=self.logs)
            self.supervisor.start(server.service)
            self.settings[name] = server.url
            started.append(server)
        for server in started:
            self.supervisor.wait_answering(server.service.name, seconds=60)
        say("Started " + " and ".join(server.title for server in started) + f" (data in {folder}).")

    def _write_run_file(self) -> None:
        """Leave addresses and secrets where `manage.py` in another shell finds them."""
        # Every setting that `.env.example` names counts: a command with another CLAIM_LEASE would act differently.
        names = {"HELIOGRAPH_DATA", "PORT", "SANDBOX_PORT", *_named_settings()}
        environment = {name: self.settings[name] for name in sorted(names) if self.settings.get(name)}
        pid = os.getpid()
        write_private_json(
            self.data / RUN_FILE, {"pid": pid, "started": process_start(pid), "environment": environment}
        )

    def _manage(self, name: str, *arguments: str) -> str:
        """Run a management command to its end and return what it printed."""
        code, output = self.supervisor.run(self._service(name, commands.manage(*arguments)))
        if code:
            raise LauncherError(f"`manage.py {arguments[0]}` failed with exit code {code}:\n{_tail(output)}")
        return output

    def _start_processes(self, listener: int) -> None:
        address = f"http://{LOOPBACK}:{self.settings['PORT']}"
        services = [
            self._service(
                "web",
                commands.web(listener=listener),
                keep_open=(listener,),
                # Its own workers see that it is gone, and go; a killed one could not tell them to finish their answers.
                orphan_signal=signal.SIGTERM,
                is_answering=lambda: _fetch(f"{address}/health/live").startswith("200"),
            ),
            self._service("beat", commands.beat(schedule=self.data / "beat-schedule"), stop_seconds=3.0),
            self._service("clerk", commands.clerk(), stop_seconds=6.0),
        ]
        if self._has_sandbox():
            own = f"http://{LOOPBACK}:{self.settings['SANDBOX_PORT']}"
            services.append(
                self._service(
                    "sandbox",
                    commands.sandbox(),
                    stage=SANDBOX_STAGE,
                    stop_seconds=2.0,
                    is_answering=lambda: bool(_fetch(own)),
                )
            )
        services += [
            self._service(
                f"worker{number}",
                commands.worker(number=number),
                stop_seconds=6.0,
                is_answering=lambda: _workers_alive(_fetch(f"{address}/health/ready")),
            )
            for number in range(1, self._number("WORKERS", default=2) + 1)
        ]
        for service in services:
            self.supervisor.start(service)
        for service in services:
            self.supervisor.wait_answering(service.name, seconds=START_SECONDS)

    def _service(
        self,
        name: str,
        command: list[str],
        *,
        stage: int = WEB_STAGE,
        stop_seconds: float = 5.0,
        keep_open: tuple[int, ...] = (),
        orphan_signal: signal.Signals = signal.SIGKILL,
        is_answering: Callable[[], bool] | None = None,
    ) -> Service:
        return Service(
            name=name,
            command=command,
            log=self.logs / f"{name}.log",
            environment=self.settings,
            folder=CHECKOUT,
            stage=stage,
            stop_seconds=stop_seconds,
            keep_open=keep_open,
            orphan_signal=orphan_signal,
            is_answering=is_answering,
        )

    def _has_sandbox(self) -> bool:
        return self.settings["SANDBOX_ENABLED"].lower() in {"1", "true", "yes", "on", "y", "ok"}

    def _default(self, name: str, value: str) -> None:
        if not self.settings.get(name):
            self.settings[name] = value

    def _number(self, name: str, *, default: int) -> int:
        text = self.settings.get(name, "")
        if not text:
            return default
        if not text.isdecimal() or int(text) > 65_535:
            raise LauncherError(f"{name} must be a number, not {text!r}.")
        return int(text)


def say(text: str) -> None:
    """Print at once; a terminal that has gone away stops nothing."""
    with contextlib.suppress(OSError, ValueError):
        print(text, flush=True)


def _open_standard_files() -> None:
    """Open the standard files that the caller closed: else the first file opened would take the place of one."""
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)


def _hosts(public_base_url: str) -> list[str]:
    public = urlsplit(public_base_url).hostname or ""
    return list(dict.fromkeys(["localhost", LOOPBACK, "[::1]", *([public] if public else [])]))


def _named_settings() -> list[str]:
    try:
        text = (CHECKOUT / ".env.example").read_text(encoding="utf-8")
    except OSError:
        return []
    return re.findall(r"^(?:# ?)?([A-Z][A-Z0-9_]+)=", text, flags=re.MULTILINE)


def _fetch(url: str) -> str:
    """Return status and body of a page (`200 …`), empty where nobody answers."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=5) as answer:
            return f"{answer.status} {answer.read(10_000).decode(errors='replace')}"
    except urllib.error.HTTPError as error:
        return f"{error.code}"
    except (OSError, http.client.HTTPException):
        return ""


def _workers_alive(readiness: str) -> bool:
    status, _, body = readiness.partition(" ")
    if status != "200":
        return False
    try:
        return bool(json.loads(body).get("status") == "ready")
    except ValueError:
        return False


def _tail(output: str, *, lines: int = 25) -> str:
    return "\n".join(f"    | {line}" for line in output.strip().splitlines()[-lines:])
