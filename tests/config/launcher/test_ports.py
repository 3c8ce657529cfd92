import socket
from pathlib import Path

import pytest

from config.launcher.errors import LauncherError
from config.launcher.ports import PRIVATE_PORTS, PortBook, is_free


@pytest.fixture
def taken() -> socket.socket:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


def port_of(listener: socket.socket) -> int:
    return listener.getsockname()[1]


def test_taken_port_gives_the_next_free_one(taken: socket.socket) -> None:
    claimed = PortBook().claim(port_of(taken))
    assert port_of(taken) < claimed <= port_of(taken) + 50
    assert is_free(claimed)


def test_two_launchers_choosing_at_once_get_different_ports(taken: socket.socket) -> None:
    first, second = PortBook(), PortBook()
    assert first.claim(port_of(taken)) != second.claim(port_of(taken))


def test_a_closed_book_gives_its_ports_back(taken: socket.socket) -> None:
    book = PortBook()
    port = book.claim(port_of(taken))
    book.close()
    assert PortBook().claim(port) == port


def test_sticky_port_is_the_same_next_time(tmp_path: Path) -> None:
    memory = tmp_path / "port"
    book = PortBook()
    port = book.claim_sticky(memory)
    book.close()
    assert port in PRIVATE_PORTS
    assert PortBook().claim_sticky(memory) == port


def test_sticky_port_moves_when_somebody_else_has_it(tmp_path: Path, taken: socket.socket) -> None:
    memory = tmp_path / "port"
    memory.write_text(f"{port_of(taken)}\n")
    port = PortBook().claim_sticky(memory)
    assert port != port_of(taken)
    assert memory.read_text() == f"{port}\n"


def test_sticky_port_survives_a_spoiled_memory(tmp_path: Path) -> None:
    memory = tmp_path / "port"
    memory.write_text("not a port")
    assert PortBook().claim_sticky(memory) in PRIVATE_PORTS


def test_listening_moves_on_from_a_taken_port(taken: socket.socket) -> None:
    with PortBook().listen(port_of(taken)) as listener:
        assert port_of(listener) > port_of(taken)
        with socket.create_connection(listener.getsockname(), timeout=2):
            pass


def test_no_port_above_the_last_one() -> None:
    with socket.create_server(("127.0.0.1", 65_535)), pytest.raises(LauncherError, match="No free port"):
        PortBook().listen(65_535)
