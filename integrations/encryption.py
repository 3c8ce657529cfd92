"""Secrets at rest: Fernet tokens under CREDENTIAL_KEYS, newest key first."""

import functools
from typing import TYPE_CHECKING, Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.exceptions import FieldError
from django.core.signals import setting_changed
from django.db import connection, models, transaction
from django.db.models.query_utils import DeferredAttribute


class SecretUnreadable(Exception):
    """A stored secret was encrypted under a key that CREDENTIAL_KEYS no longer holds."""


@functools.lru_cache(maxsize=1)
def _crypter() -> MultiFernet:
    return MultiFernet([Fernet(key) for key in settings.CREDENTIAL_KEYS])


@functools.lru_cache(maxsize=1024)
def _decrypt(token: str) -> str:
    """Open a token; remembered, because every webhook and every message needs the same few, and each costs 60 µs."""
    return _crypter().decrypt(token.encode()).decode()


def _forget_keys(*, setting: str, **_: Any) -> None:
    if setting == "CREDENTIAL_KEYS":
        _crypter.cache_clear()
        _decrypt.cache_clear()


setting_changed.connect(_forget_keys)


class Secret:
    """A secret that is decrypted when it is asked for, and shows nothing when printed.

    Decrypting late lets a page list a connection whose key was lost; whoever needs the value fails loudly.
    """

    __slots__ = ("_token",)

    def __init__(self, token: str) -> None:
        self._token = token

    def reveal(self) -> str:
        """Return the plain text; raise SecretUnreadable where no key fits. The empty secret is the empty text."""
        if not self._token:
            return ""
        try:
            return _decrypt(self._token)
        except InvalidToken as error:
            raise SecretUnreadable(
                "A stored Twilio secret cannot be decrypted with the present CREDENTIAL_KEYS. "
                "Restore the key it was saved under, or enter the secret anew."
            ) from error

    @classmethod
    def of(cls, plain: str) -> "Secret":
        """Return the encrypted form of a plain text."""
        return cls(_crypter().encrypt(plain.encode()).decode() if plain else "")

    @property
    def token(self) -> str:
        """The ciphertext, as it is stored."""
        return self._token

    def __bool__(self) -> bool:
        return bool(self._token)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._token == self._token

    def __hash__(self) -> int:
        return hash(self._token)

    def __repr__(self) -> str:
        return "Secret(set)" if self._token else "Secret(empty)"

    __str__ = __repr__

    def __deepcopy__(self, memo: dict[int, Any]) -> "Secret":
        return self


if TYPE_CHECKING:
    _SecretText = models.TextField[Secret | str, Secret]
else:
    _SecretText = models.TextField


class _SecretAttribute(DeferredAttribute):
    """Takes plain text or a Secret, and always gives a Secret, before the row is saved as after."""

    def __set__(self, instance: models.Model, value: Any) -> None:
        instance.__dict__[self.field.attname] = self.field.to_python(value)


class SecretField(_SecretText):
    """Text kept as a Fernet token; in Python a `Secret`. It can be asked only whether it is there."""

    descriptor_class = _SecretAttribute

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("blank", True)
        kwargs.setdefault("default", Secret(""))
        kwargs["editable"] = False
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        kwargs.pop("default", None)
        kwargs.pop("editable", None)
        return name, path, args, kwargs

    def to_python(self, value: Any) -> Secret:
        return value if isinstance(value, Secret) else Secret.of(value or "")

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> Secret:
        return Secret(value or "")

    def get_prep_value(self, value: Any) -> str:
        return self.to_python(value).token

    def value_to_string(self, obj: models.Model) -> str:
        raise FieldError(f"{self.name} is a secret and is not exported.")

    def get_lookup(self, lookup_name: str) -> Any:
        raise FieldError(f"{self.name} is encrypted and cannot be searched.")

    def get_transform(self, lookup_name: str) -> Any:
        raise FieldError(f"{self.name} is encrypted and cannot be searched.")


def _column(model: type[models.Model], field: str) -> str:
    found = model._meta.get_field(field)
    assert isinstance(found, SecretField)  # noqa: S101 - callers look for fields of this kind
    return str(found.column)


def rotate_field(model: type[models.Model], field: str, *, batch: int = 500) -> int:
    """Encrypt every value of the field again under the newest key; return how many rows changed.

    Ciphertext to ciphertext under row locks, so that a secret saved meanwhile is not overwritten by its older self.
    Raises SecretUnreadable, naming the row, and leaves the rows before it rotated.
    """
    quote = connection.ops.quote_name
    table, column = quote(model._meta.db_table), quote(_column(model, field))
    last, changed = None, 0
    while True:
        with transaction.atomic(), connection.cursor() as cursor:
            after = "AND id > %s" if last else ""
            cursor.execute(
                f"SELECT id, {column} FROM {table} WHERE {column} <> '' {after}"  # noqa: S608 - quoted names of ours
                f" ORDER BY id LIMIT {batch} FOR UPDATE",
                [last] if last else [],
            )
            rows = cursor.fetchall()
            if not rows:
                return changed
            for row_id, token in rows:
                try:
                    fresh = _crypter().rotate(token.encode()).decode()
                except InvalidToken as error:
                    raise SecretUnreadable(f"{model._meta.label} {row_id}: no key fits its {field}.") from error
                cursor.execute(f"UPDATE {table} SET {column} = %s WHERE id = %s", [fresh, row_id])  # noqa: S608
        last, changed = rows[-1][0], changed + len(rows)
