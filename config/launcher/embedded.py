"""PostgreSQL and Valkey from their wheels, for a trial and for tests: prepared here, run by the supervisor."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from config.launcher.accounts import Account, choose_account, give
from config.launcher.binaries import POSTGRES_MAJOR, postgres_programs, valkey_program
from config.launcher.environment import RELOCATED
from config.launcher.errors import LauncherError
from config.launcher.keys import keep_secret
from config.launcher.ports import LOOPBACK, PortBook
from config.launcher.processes import Service

SERVER_STAGE = 0  # stopped last, when nobody writes any more
USER = "app"


@dataclass(frozen=True)
class EmbeddedServer:
    """A server that is ready to be started, and where it can then be reached."""

    service: Service
    title: str
    url: str


def prepare_folder(folder: Path) -> Path:
    """Make the folder of the servers' data so that whoever they run as can walk through it, and return it."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if os.geteuid() == 0:
        # Passable, not readable: the service user has folders of its own inside.
        folder.chmod(0o711)
        if RELOCATED in folder.parents:
            RELOCATED.chmod(0o755)
    return folder


def prepare_postgres(folder: Path, *, ports: PortBook, logs: Path, durable: bool = True) -> EmbeddedServer:
    """Make the cluster at the first call and return the server.

    Without `durable` nothing is flushed to disk: for tests, whose data are thrown away.
    """
    data = folder / "postgresql"
    account = choose_account(data)
    programs = postgres_programs(account)
    password = keep_secret(folder / "postgresql.password")
    if not (data / "PG_VERSION").exists():
        _make_cluster(data, programs=programs, password=password, account=account, durable=durable)
    _refuse_other_version(data)
    port = ports.claim_sticky(folder / "postgresql.port")
    settings = {
        "listen_addresses": LOOPBACK,
        "port": str(port),
        "unix_socket_directories": "",
        "max_connections": "150",
        "shared_buffers": "128MB",
        "timezone": "UTC",
        "log_timezone": "UTC",
    }
    if not durable:
        settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    probe = [
        str(programs / "pg_isready"),
        "-q",
        "-t",
        "1",
        "-h",
        LOOPBACK,
        "-p",
        str(port),
        "-U",
        USER,
        "-d",
        "postgres",
    ]
    service = Service(
        name="postgres",
        command=[programs / "postgres", "-D", data, *options],
        log=logs / "postgres.log",
        environment=_plain_environment(),
        folder=Path("/"),
        account=account,
        stage=SERVER_STAGE,
        # Fast shutdown: sessions are ended, the data are written. Immediate only when patience is over.
        stop_signal=signal.SIGINT,
        abort_signal=signal.SIGQUIT,
        orphan_signal=signal.SIGINT,
        settle=lambda: _retire_leftover(data / "postmaster.pid", marker=str(data), stop=signal.SIGINT),
        is_answering=lambda: subprocess.run(probe, check=False, env=_plain_environment()).returncode == 0,
    )
    return EmbeddedServer(
        service, f"PostgreSQL on port {port}", f"postgresql://{USER}:{password}@{LOOPBACK}:{port}/postgres"
    )


def prepare_valkey(folder: Path, *, ports: PortBook, logs: Path, durable: bool = True) -> EmbeddedServer:
    """Write the configuration and return the server."""
    data = folder / "valkey"
    account = choose_account(data)
    program = valkey_program(account)
    if not data.exists():
        data.mkdir(mode=0o700)
        give(data, account)
    password = keep_secret(folder / "valkey.password")
    port = ports.claim_sticky(folder / "valkey.port")
    settings = [
        f"bind {LOOPBACK}",
        f"port {port}",
        f"requirepass {password}",
        f'dir "{data}"',
        f'pidfile "{data / "valkey.pid"}"',
        f"appendonly {'yes' if durable else 'no'}",
        "appendfsync everysec",
        "maxmemory-policy noeviction",
        'save ""',
        "databases 64",
        "daemonize no",
    ]
    configuration = data / "valkey.conf"
    configuration.unlink(missing_ok=True)
    with open(os.open(configuration, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write("\n".join(settings) + "\n")
    give(configuration, account)
    service = Service(
        name="valkey",
        command=[program, configuration],
        log=logs / "valkey.log",
        environment=_plain_environment(),
        folder=Path("/"),
        account=account,
        stage=SERVER_STAGE,
        orphan_signal=signal.SIGTERM,
        settle=lambda: _retire_leftover(data / "valkey.pid", marker=str(configuration), stop=signal.SIGTERM),
        is_answering=lambda: _valkey_answers(port, password),
    )
    return EmbeddedServer(service, f"Valkey on port {port}", f"redis://:{password}@{LOOPBACK}:{port}/0")


def _make_cluster(data: Path, *, programs: Path, password: str, account: Account | None, durable: bool) -> None:
    """Make a new cluster in one step: an interrupted first start leaves nothing that looks like one."""
    half_made = data.with_name(data.name + ".new")
    shutil.rmtree(half_made, ignore_errors=True)
    half_made.mkdir(mode=0o700)
    password_file = data.with_name("postgresql.init")
    password_file.unlink(missing_ok=True)
    password_file.touch(mode=0o600)
    password_file.write_text(password + "\n", encoding="ascii")
    give(half_made, account)
    give(password_file, account)
    # PostgreSQL's own Unicode rules: the machine may not have the C.UTF-8 locale.
    locale = ["--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
    flags = [
        f"--username={USER}",
        f"--pwfile={password_file}",
        "--auth=scram-sha-256",
        "--data-checksums",
        "--no-instructions",
    ]
    identity = {"user": account.uid, "group": account.gid, "extra_groups": []} if account else {}
    made = subprocess.run(  # type: ignore[call-overload]
        [programs / "initdb", "-D", half_made, *locale, *flags, *([] if durable else ["--no-sync"])],
        check=False,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        cwd="/",
        env=_plain_environment(),
        start_new_session=True,
        **identity,
    )
    password_file.unlink()
    if made.returncode:
        raise LauncherError(
            f"PostgreSQL could not make its data folder {data}:\n{made.stdout}{made.stderr}\n"
            "Set DATABASE_URL to use a server of your own instead."
        )
    half_made.rename(data)


def _refuse_other_version(data: Path) -> None:
    found = (data / "PG_VERSION").read_text(encoding="ascii").strip()
    if found != POSTGRES_MAJOR:
        raise LauncherError(
            f"The data in {data} were written by PostgreSQL {found}, and this version of Heliograph brings "
            f"PostgreSQL {POSTGRES_MAJOR}, which cannot read them. To keep them, start the version of Heliograph "
            "that wrote them and save them with pg_dump; to begin anew, move that folder away."
        )


def _retire_leftover(pid_file: Path, *, marker: str, stop: signal.Signals) -> None:
    """Stop a server on the same data that outlived its launcher; forget a process id that now is another program's.

    The lock on the data folder is ours, so nobody else can be meant to be running it.
    """
    try:
        pid = int(pid_file.read_text().split(maxsplit=1)[0])
    except (OSError, ValueError, IndexError):
        return
    if marker not in _command_line(pid):
        pid_file.unlink(missing_ok=True)
        return
    for number, seconds in ((stop, 10.0), (signal.SIGQUIT, 3.0), (signal.SIGKILL, 2.0)):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if marker not in _command_line(pid):
                return
            time.sleep(0.05)


def _command_line(pid: int) -> str:
    """Return the command line of a process, empty where it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        pass
    if Path("/proc/self").exists() or shutil.which("ps") is None:
        return ""
    listed = subprocess.run(["ps", "-p", str(pid), "-o", "command="], check=False, capture_output=True, text=True)
    return listed.stdout


def _valkey_answers(port: int, password: str) -> bool:
    try:
        with socket.create_connection((LOOPBACK, port), timeout=1) as connection:
            connection.sendall(f"AUTH {password}\r\nPING\r\n".encode())
            answer = b""
            while answer.count(b"\r\n") < 2:
                part = connection.recv(256)
                if not part:
                    return False
                answer += part
    except OSError:
        return False
    return b"+PONG" in answer


def _plain_environment() -> dict[str, str]:
    """Return an environment in which the servers speak plainly, whatever the caller's language and PG* settings are."""
    kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
    return {**kept, "LC_ALL": "C", "TZ": "UTC"}
