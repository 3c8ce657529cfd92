"""API keys: make, recognise, revoke. The key itself is seen once, by whoever makes it; we keep its hash."""

import hashlib
import secrets
import string
from collections.abc import Iterable
from datetime import timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from integrations.quick_rows import QuickRows, first_statement, prepared_cursor

from . import audit
from .models import ApiKey, Organization, User
from .problems import OrganizationProblem
from .scopes import EVERYTHING, unknown_scopes

_ALPHABET = string.ascii_letters + string.digits
_PREFIX_LENGTH = 8
_SECRET_LENGTH = 40
_LONGEST = 120
LAST_USED_EVERY = timedelta(minutes=1)
_KEYS, _ORGANIZATIONS = QuickRows(ApiKey, alias="k"), QuickRows(Organization, alias="o")


class KeyRefused(Exception):
    """A key that we know and do not let in: `code` is `key_revoked` or `organization_suspended`."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


def create_key(
    organization: Organization,
    *,
    name: str,
    scopes: Iterable[str] = EVERYTHING,
    actor: User | str | None,
    ip: str = "",
    may_repeat_name: bool = False,
) -> tuple[ApiKey, str]:
    """Make a key and return its row and the key in clear, which cannot be shown again.

    Unless `may_repeat_name`, a live key of the same name is refused: two clicks must not leave a key that nobody saw.
    """
    chosen = set(scopes)
    if unknown := unknown_scopes(sorted(chosen)):
        raise OrganizationProblem("unknown_scope", f"There is no scope {', '.join(unknown)}.", field="scopes")
    if not chosen:
        raise OrganizationProblem("no_scope", "A key without any scope can do nothing: choose one.", field="scopes")
    prefix = "hg_" + "".join(secrets.choice(_ALPHABET) for _ in range(_PREFIX_LENGTH))
    raw = f"{prefix}_" + "".join(secrets.choice(_ALPHABET) for _ in range(_SECRET_LENGTH))
    with transaction.atomic():
        # The lock makes the look at the names and the new row one step.
        Organization.objects.select_for_update().get(pk=organization.pk)
        live = ApiKey.objects.filter(organization=organization, revoked_at=None, name__iexact=name)
        if not may_repeat_name and live.exists():
            raise OrganizationProblem("name_taken", f"There is a live key “{name}” already.", field="name")
        key = ApiKey.objects.create(
            organization=organization,
            name=name,
            prefix=prefix,
            key_hash=_hash(raw),
            scopes=[scope for scope in EVERYTHING if scope in chosen],
            created_by=actor if isinstance(actor, User) else None,
        )
        granted = "everything" if chosen == set(EVERYTHING) else ", ".join(key.scopes)
        changes = {"scopes": granted}
        audit.record(organization, actor=actor, action="api_key.created", target=key, changes=changes, ip=ip)
    return key, raw


def revoke_key(key: ApiKey, *, actor: User | str | None, ip: str = "") -> bool:
    """Stop the key at once; False where it was revoked before."""
    with transaction.atomic():
        is_done = ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=timezone.now())
        if is_done:
            audit.record(key.organization, actor=actor, action="api_key.revoked", target=key, ip=ip)
    return bool(is_done)


def authenticate_key(raw: str) -> ApiKey | None:
    """Return the live key with its organization, None for a key we do not know; KeyRefused for one we know and refuse.

    One indexed query; a second one, at most once a minute for each key, notes that it is in use.
    """
    if not raw.startswith("hg_") or len(raw) > _LONGEST:
        return None
    hashed = _hash(raw)
    key = first_statement(lambda: _find(hashed))
    if key is None:
        return None
    if not key.is_live:
        raise KeyRefused("key_revoked", "This API key was revoked: make a new one under API keys.")
    if key.organization.is_suspended:
        raise KeyRefused("organization_suspended", f"{key.organization.name} is suspended: ask the operator.")
    _note_use(key)
    return key


def _find(key_hash: str) -> ApiKey | None:
    with prepared_cursor() as cursor:
        cursor.execute(
            f"SELECT {_KEYS.columns}, {_ORGANIZATIONS.columns} FROM integrations_apikey k"  # noqa: S608 - our own columns
            " JOIN integrations_organization o ON o.id = k.organization_id WHERE k.key_hash = %s",
            [key_hash],
        )
        row = cursor.fetchone()
    if row is None:
        return None
    key, organization = _KEYS.make(row[: _KEYS.width]), _ORGANIZATIONS.make(row[_KEYS.width :])
    if key is not None and organization is not None:
        key.organization = organization
    return key


def _note_use(key: ApiKey) -> None:
    now = timezone.now()
    stale = now - LAST_USED_EVERY
    if key.last_used_at is not None and key.last_used_at > stale:
        return
    is_due = Q(last_used_at=None) | Q(last_used_at__lte=stale)
    ApiKey.objects.filter(is_due, pk=key.pk).update(last_used_at=now)
    key.last_used_at = now


def _hash(raw: str) -> str:
    return hashlib.sha256(raw.encode()).hexdigest()
