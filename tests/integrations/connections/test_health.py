"""A connection breaks and recovers once, and the audit log says so."""

from integrations.connections.health import mark_broken, mark_working
from integrations.connections.models import Connection
from integrations.organizations.models import AuditEntry


def test_only_the_first_report_breaks_it(connection: Connection) -> None:
    late = Connection.objects.get(pk=connection.pk)
    assert mark_broken(connection, code=20003, note="while sending")
    assert not mark_broken(late, code=20003)
    connection.refresh_from_db()
    assert (connection.status, connection.broken_code) == ("broken", 20003)
    entry = AuditEntry.objects.get(action="connection.broke")
    assert entry.actor_label == "Heliograph"
    assert entry.changes == {"code": 20003, "note": "while sending"}


def test_it_recovers_once(connection: Connection) -> None:
    assert not mark_working(connection)
    mark_broken(connection, code=20003)
    assert mark_working(connection)
    assert not mark_working(connection)
    connection.refresh_from_db()
    assert (connection.status, connection.broken_code, connection.broken_at) == ("active", None, None)
    assert AuditEntry.objects.filter(action="connection.recovered").count() == 1


def test_complaint_about_rotated_credentials_changes_nothing(connection: Connection) -> None:
    worker = Connection.objects.get(pk=connection.pk)
    Connection.objects.update(credentials_version=2)
    assert not mark_broken(worker, code=20003)
    connection.refresh_from_db()
    assert connection.is_usable


def test_disconnected_connection_neither_breaks_nor_recovers(connection: Connection) -> None:
    Connection.objects.update(status="disconnected", is_default=False)
    assert not mark_broken(connection, code=20003)
    assert not mark_working(connection)
