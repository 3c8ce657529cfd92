"""Encrypt every stored secret again under the newest key, so that an older one can be retired."""

from collections.abc import Iterator
from typing import Any

from allauth.mfa.models import Authenticator
from django.apps import apps
from django.db import models, transaction

from integrations.encryption import Secret, SecretField, SecretUnreadable, rotate_field

_BATCH = 200
# Where allauth's authenticators keep what our MfaAdapter encrypted.
_MFA_KEYS = ("secret", "seed")


def rekey_everything() -> dict[str, int]:
    """Encrypt every secret of the installation anew; return how many values each place held.

    Safe to repeat and to interrupt. Raises SecretUnreadable, naming the row, where no key fits.
    """
    counts = {f"{model._meta.label}.{name}": rotate_field(model, name) for model, name in secret_fields()}
    counts[Authenticator._meta.label] = _rekey_authenticators()
    return counts


def secret_fields() -> Iterator[tuple[type[models.Model], str]]:
    """Yield every SecretField of every model of the installation."""
    for model in apps.get_models():
        for field in model._meta.get_fields():
            if isinstance(field, SecretField):
                yield model, field.name


def _rekey_authenticators() -> int:
    last, changed = 0, 0
    while True:
        with transaction.atomic():
            # Locked, so that a second factor set up meanwhile is not overwritten by its older self.
            rows = list(Authenticator.objects.select_for_update().filter(pk__gt=last).order_by("pk")[:_BATCH])
            for row in rows:
                try:
                    fresh = _rekeyed(row.data)
                except SecretUnreadable as error:
                    raise SecretUnreadable(f"Second factor {row.pk}: no key fits it.") from error
                if fresh != row.data:
                    Authenticator.objects.filter(pk=row.pk).update(data=fresh)
                    changed += 1
        if not rows:
            return changed
        last = rows[-1].pk


def _rekeyed(data: dict[str, Any]) -> dict[str, Any]:
    def fresh(token: str) -> str:
        return Secret.of(Secret(token).reveal()).token

    result = {key: fresh(value) if key in _MFA_KEYS and value else value for key, value in data.items()}
    if "migrated_codes" in result:
        result["migrated_codes"] = [fresh(code) for code in result["migrated_codes"]]
    return result
