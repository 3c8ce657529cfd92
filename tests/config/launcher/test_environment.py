import json
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from config.launcher import environment
from config.launcher.environment import (
    CHECKOUT,
    data_folder,
    is_same_process,
    load_running_environment,
    process_start,
    read_dotenv,
    running_processes,
    servers_folder,
    write_private_json,
)


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HELIOGRAPH_DATA", str(tmp_path))
    monkeypatch.setenv("DATABASE_URL", "")
    monkeypatch.setenv("REDIS_URL", "")
    return tmp_path


def write_run_file(data: Path, *, pid: int, started: str | None = None, **settings: str) -> None:
    write_private_json(data / "run.json", {"pid": pid, "started": started, "environment": settings})


def test_running_launcher_is_found(data: Path) -> None:
    write_run_file(data, pid=os.getpid(), started=process_start(os.getpid()), DATABASE_URL="postgresql://there")
    load_running_environment()
    assert os.environ["DATABASE_URL"] == "postgresql://there"


def test_what_is_set_already_stays(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLAIM_LEASE", "3")
    write_run_file(data, pid=os.getpid(), DATABASE_URL="postgresql://there", CLAIM_LEASE="30")
    load_running_environment()
    assert os.environ["CLAIM_LEASE"] == "3"


def test_database_of_ones_own_leaves_everything_alone(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://mine")
    write_run_file(data, pid=os.getpid(), DATABASE_URL="postgresql://there", REDIS_URL="redis://there")
    load_running_environment()
    assert os.environ["DATABASE_URL"] == "postgresql://mine"
    assert os.environ["REDIS_URL"] == ""


def test_dead_launcher_is_not_believed(data: Path) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    write_run_file(data, pid=dead.pid, DATABASE_URL="postgresql://there")
    load_running_environment()
    assert os.environ["DATABASE_URL"] == ""


@pytest.mark.skipif(process_start(os.getpid()) is None, reason="this system does not tell when a process began")
def test_process_id_that_was_given_out_again_is_not_believed(data: Path) -> None:
    write_run_file(data, pid=os.getpid(), started="1", DATABASE_URL="postgresql://there")
    load_running_environment()
    assert os.environ["DATABASE_URL"] == ""


@pytest.mark.parametrize("content", ["", "[]", "{", '{"pid": 1}', '{"pid": "x", "environment": {}}'])
def test_spoiled_run_file_is_ignored(data: Path, content: str) -> None:
    (data / "run.json").write_text(content)
    load_running_environment()
    assert os.environ["DATABASE_URL"] == ""


def test_run_file_is_for_its_owner_only(data: Path) -> None:
    write_run_file(data, pid=1)
    assert stat.S_IMODE((data / "run.json").stat().st_mode) == 0o600
    assert [path.name for path in data.iterdir()] == ["run.json"]


def test_processes_are_listed_while_the_launcher_lives(data: Path) -> None:
    (data / "processes.json").write_text(json.dumps({"web": 11, "worker1": 12}))
    assert running_processes() == {}
    write_run_file(data, pid=os.getpid())
    assert running_processes() == {"web": 11, "worker1": 12}


def test_finding_the_launcher_does_not_import_django() -> None:
    code = "import sys, config.launcher.environment; sys.exit('django' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=CHECKOUT, check=False).returncode == 0


def test_data_folder_is_in_the_checkout_unless_named() -> None:
    assert data_folder({}) == CHECKOUT / ".data"
    assert data_folder({"HELIOGRAPH_DATA": ""}) == CHECKOUT / ".data"
    assert data_folder({"HELIOGRAPH_DATA": "elsewhere"}) == CHECKOUT / "elsewhere"
    assert data_folder({"HELIOGRAPH_DATA": "/srv/heliograph"}) == Path("/srv/heliograph")


def test_servers_of_a_closed_home_live_elsewhere_for_root_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    closed = tmp_path / "home"
    closed.mkdir(mode=0o700)
    one, other = closed / "one" / ".data", closed / "other" / ".data"
    for data in (one, other):
        data.mkdir(parents=True)
    monkeypatch.setattr(environment.os, "geteuid", lambda: 1000)
    assert servers_folder(one) == one / "servers"
    monkeypatch.setattr(environment.os, "geteuid", lambda: 0)
    assert servers_folder(one).parent == Path("/var/lib/heliograph")
    assert servers_folder(one) != servers_folder(other)
    first = servers_folder(one)
    assert servers_folder(one) == first
    shutil.rmtree(one)
    one.mkdir()
    assert servers_folder(one) != first, "a fresh clone must not meet the old one's database"


def test_servers_of_an_open_folder_stay_in_it(folder: Path) -> None:
    assert servers_folder(folder / ".data") == folder / ".data" / "servers"


def test_dotenv_is_read_as_settings_read_it(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("# a comment\nA=1\nexport B='two words'\nC=\"x=y\"\n\n# D=4\nnot a setting\nE=\n")
    assert read_dotenv(tmp_path / ".env") == {"A": "1", "B": "two words", "C": "x=y", "E": ""}
    assert read_dotenv(tmp_path / "absent") == {}


def test_a_process_is_itself_only() -> None:
    assert is_same_process(os.getpid(), process_start(os.getpid()))
    assert not is_same_process(0, None)
    assert not is_same_process("1", None)
