"""How often the password of a form may be guessed: so often from one network in ten minutes."""

import hashlib

from django.core.cache import cache

from integrations.masking import mask_ip
from portal.forms.models import PublicForm

MOST_WRONG, WINDOW = 20, 600


def may_try(form: PublicForm, *, ip: str) -> bool:
    """Tell whether another password may be tried from there."""
    return int(cache.get(_key(form, ip), 0)) < MOST_WRONG


def note_wrong(form: PublicForm, *, ip: str) -> None:
    """Count a wrong password."""
    key = _key(form, ip)
    cache.set(key, int(cache.get(key, 0)) + 1, WINDOW)


def _key(form: PublicForm, ip: str) -> str:
    return "form-password:" + hashlib.sha256(f"{form.pk}:{mask_ip(ip)}".encode()).hexdigest()[:40]
