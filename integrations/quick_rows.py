"""Reading the few rows that every machine request needs: statements written once, objects as the ORM makes them.

Building a query anew costs Django more than answering it costs PostgreSQL. Where thousands of requests a second ask the
same question, the question is kept as text; what comes out are ordinary model instances.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cache, cached_property
from typing import Any, Generic, TypeVar

from django.db import DEFAULT_DB_ALIAS, InterfaceError, OperationalError, connection, connections
from django.db.backends.utils import CursorWrapper
from django.db.models import Field, Model
from django.db.models.base import ModelState
from psycopg import Cursor

_M = TypeVar("_M", bound=Model)
_T = TypeVar("_T")


class QuickRows(Generic[_M]):
    """How rows of a model are selected under a short name, and made into objects.

    `without` names fields that are left in the database; asked for, they are fetched, as with `defer()`.
    """

    def __init__(self, model: type[_M], *, alias: str, without: Collection[str] = ()) -> None:
        self.model, self._alias, self._without = model, alias, frozenset(without)

    @cached_property
    def columns(self) -> str:
        """The columns to select, in the order in which `make` takes their values."""
        return ", ".join(f'{self._alias}."{field.column}"' for field in self._fields)

    @cached_property
    def width(self) -> int:
        """How many columns there are."""
        return len(self._names)

    def make(self, values: Sequence[Any]) -> _M | None:
        """Return the object of these values; None where an outer join found no row."""
        if values[0] is None:  # the primary key stands first
            return None
        converted = list(values)
        for place, convert in self._converters:
            converted[place] = convert(converted[place], None, connection)
        # What Model.from_db does, without the signals and descriptors that cost it most of its time.
        made = _bare(self.model)
        made._state.adding, made._state.db = False, DEFAULT_DB_ALIAS
        made.__dict__.update(zip(self._names, converted, strict=True))
        return made

    @cached_property
    def _fields(self) -> "list[Field[Any, Any]]":
        return [field for field in self.model._meta.concrete_fields if field.name not in self._without]

    @cached_property
    def _names(self) -> list[str]:
        return [field.attname for field in self._fields]

    @cached_property
    def _converters(self) -> list[tuple[int, Callable[..., Any]]]:
        fields = enumerate(self._fields)
        return [(place, convert) for place, field in fields for convert in field.get_db_converters(connection)]


def assemble(model: type[_M], *, related: Mapping[str, Model | None], **values: Any) -> _M:
    """Return a new object as the model's constructor does, at a fifth of its price, for the few made most often.

    `related` are objects by the name of their foreign key; `values` go by the names of columns' attributes, whatever is
    left out has its default.
    """
    made = _bare(model)
    kept = made.__dict__
    for name, default, is_called in _defaults(model):
        kept[name] = default() if is_called else default
    for name, found in related.items():
        made._state.fields_cache[name] = found
        kept[f"{name}_id"] = None if found is None else found.pk
    kept.update(values)
    return made


def _bare(model: type[_M]) -> _M:
    made = model.__new__(model)
    made._state = ModelState()
    return made


@cache
def _defaults(model: type[Model]) -> list[tuple[str, Any, bool]]:
    fields = [field for field in model._meta.concrete_fields if not field.generated]
    return [
        (field.attname, field.default, True)
        if field.has_default() and callable(field.default)
        else (field.attname, field.default if field.has_default() else field.get_default(), False)
        for field in fields
    ]


def prepared_cursor() -> CursorWrapper:
    """Return a cursor whose statements PostgreSQL prepares once for each connection, and then neither reads nor plans.

    Planning is most of what a small statement costs the database. Behind a pooler, for which CONN_MAX_AGE is 0, a
    connection is another one each time and nothing can be prepared; and whoever records statements wants to see their
    values, which prepared ones do not hold.
    """
    database = connections[DEFAULT_DB_ALIAS]  # once: `connection` looks itself up at every touch
    if not database.settings_dict["CONN_MAX_AGE"] or database.queries_logged:
        return database.cursor()
    database.close_if_health_check_failed()
    database.ensure_connection()
    raw = database.connection
    if raw.prepare_threshold is None:
        raw.prepare_threshold = 5  # Django's own cursors do not bind on the server, and stay as they are
    return database.make_cursor(Cursor(raw))  # type: ignore[arg-type]


def first_statement(ask: Callable[[], _T]) -> _T:
    """Run the first statement of a request; where the connection died while it was idle, once more on a new one.

    It takes the place of asking `SELECT 1` before each request, so the statement must bear being run twice.
    """
    try:
        return ask()
    except (OperationalError, InterfaceError):
        if connection.in_atomic_block or (connection.connection is not None and connection.is_usable()):
            raise
        connection.close()
        return ask()


def skip_health_check() -> None:
    """Leave out Django's question whether the connection lives, in a request that begins with `first_statement`."""
    connection.health_check_done = True  # type: ignore[attr-defined]
