"""Addresses of automations for webhooks of others: making one, its secret, what came last, and what was refused."""

import secrets
import threading
import time
import uuid
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone

from integrations.masking import mask_ip
from integrations.organizations.audit import record
from integrations.organizations.models import User
from messaging.api.problems import ApiProblem

from .fields import Field, Type, fields_of, look_up, path_in_words
from .models import Automation
from .trigger_models import AutomationHook, HookCall, HookRefusal, HookSample, ThresholdState

SENTENCES = {"automation.secret_made": "made a new secret for the webhook of the automation {which}"}
FORMER_HOLDS = timedelta(hours=24)
KEPT_SAMPLES, KEPT_REFUSALS = 5, 20
LARGEST_SAMPLE = 65_536
SAMPLES_KEPT_FOR = timedelta(days=30)
_BETWEEN_SAMPLES = timedelta(seconds=5)  # of a stream of calls a few show as well what comes
_MOST_PATHS = 500
_CUT_TO = 200
# Anybody may post to an address, so what a refusal costs us is limited: a burst for each address, then one a second.
_BURST, _PER_SECOND = 20, 1.0
_budgets: dict[uuid.UUID, tuple[float, float]] = {}
_lock = threading.Lock()
_measure = DjangoJSONEncoder(ensure_ascii=False).encode


def hook_of(automation: Automation) -> AutomationHook:
    """Return the address of an automation, made the first time that it is asked for, without a secret as yet."""
    hook, _ = AutomationHook.objects.get_or_create(
        automation=automation,
        defaults={"organization_id": automation.organization_id, "key": secrets.token_urlsafe(24)},
    )
    return hook


def find_hook(key: str) -> AutomationHook | None:
    """Return the hook of an address."""
    if "\x00" in key or len(key) > 64:
        return None
    rows = AutomationHook.objects.select_related("organization", "automation__live", "automation__organization")
    return rows.filter(key=key).first()


def address_of(hook: AutomationHook) -> str:
    """Return the whole address to enter elsewhere."""
    return f"{settings.PUBLIC_BASE_URL or ''}/hooks/automations/{hook.key}"


def make_secret(automation: Automation, *, actor: User, ip: str = "") -> str:
    """Make a new secret and return it, for this one time; the former one is believed for another day."""
    fresh = f"whs_{secrets.token_urlsafe(32)}"
    with transaction.atomic():
        hook = AutomationHook.objects.select_for_update().get(pk=hook_of(automation).pk)
        had_one = bool(hook.secret)
        hook.former_secret, hook.secret = hook.secret, fresh
        hook.rotated_at = timezone.now()
        hook.former_until = hook.rotated_at + FORMER_HOLDS if had_one else None
        hook.save(update_fields=["former_secret", "secret", "rotated_at", "former_until"])
        record(automation.organization, actor=actor, action="automation.secret_made", target=automation, ip=ip)
    return fresh


def live_secrets(hook: AutomationHook) -> list[str]:
    """Return the secrets that are believed now."""
    found = [hook.secret.reveal()]
    if hook.former_until is not None and hook.former_until > timezone.now():
        found.append(hook.former_secret.reveal())
    return [secret for secret in found if secret]


def keep_sample(hook: AutomationHook, values: Mapping[str, Any], *, at_once: bool = False) -> bool:
    """Keep a payload as a sample, of the last five; in a stream of calls not each. False where it was left out."""
    now = timezone.now()
    if not at_once and hook.sampled_at is not None and now - hook.sampled_at < _BETWEEN_SAMPLES:
        return False
    shape = {**dict(hook.shape), **{one.path.partition(".")[2]: one.type for one in fields_of(values, under="x")}}
    hook.shape, hook.sampled_at = dict(list(shape.items())[-_MOST_PATHS:]), now
    hook.save(update_fields=["shape", "sampled_at"])
    HookSample.objects.create(hook=hook, payload=_fitting(values), at=now)
    newest = HookSample.objects.filter(hook=hook).order_by("-id").values_list("pk", flat=True)[:KEPT_SAMPLES]
    HookSample.objects.filter(hook=hook).exclude(pk__in=list(newest)).delete()
    return True


def known_fields(automation: Automation | None) -> list[Field]:
    """Return the fields that payloads showed so far, with the newest values that are still kept as examples."""
    hook = AutomationHook.objects.filter(automation=automation).first() if automation is not None else None
    if hook is None:
        return []
    payloads = list(HookSample.objects.filter(hook=hook).order_by("-id").values_list("payload", flat=True))
    found = []
    for path, kind in hook.shape.items():
        seen = (look_up(payload, path) for payload in payloads)
        example = next((value for value in seen if value is not None), "")
        found.append(Field(f"trigger.{path}", path_in_words(path), Type(kind), example))
    return found


def note_refusal(hook: AutomationHook, problem: ApiProblem, *, ip: str) -> bool:
    """Keep why a call was refused, for whoever builds the automation; False where a flood made us leave it out."""
    if not _within_budget(hook.pk):
        return False
    AutomationHook.objects.filter(pk=hook.pk).update(refused_count=F("refused_count") + 1)
    row = HookRefusal.objects.create(
        hook=hook,
        status=problem.kind.status,
        code=problem.code,
        detail=problem.detail[:400],
        ip=mask_ip(ip)[:60] if ip else "",
    )
    newest = HookRefusal.objects.filter(hook=hook, id__lte=row.pk).order_by("-id")
    HookRefusal.objects.filter(hook=hook, id__lt=newest.values("id")[KEPT_REFUSALS - 1 : KEPT_REFUSALS]).delete()
    return True


def forget_old() -> int:
    """Delete samples and calls whose time is over, and states of subjects that nobody hears of any more."""
    calls = HookCall.objects.filter(
        Q(at__lt=Now() - timedelta(days=1)) | Q(at__lt=Now() - timedelta(hours=1), digest__regex="^[bs]:")
    )
    samples = HookSample.objects.filter(at__lt=Now() - SAMPLES_KEPT_FOR)
    states = ThresholdState.objects.filter(at__lt=Now() - timedelta(days=90))
    return sum(rows.delete()[0] for rows in (calls, samples, states))


def _fitting(values: Mapping[str, Any]) -> Mapping[str, Any]:
    if len(_measure(values)) <= LARGEST_SAMPLE:
        return values
    shorter = _shortened(values)
    return shorter if len(_measure(shorter)) <= LARGEST_SAMPLE else {}


def _shortened(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _shortened(inner) for key, inner in value.items()}
    return value[:_CUT_TO] if isinstance(value, str) else value


def _within_budget(hook_id: uuid.UUID) -> bool:
    now = time.monotonic()
    with _lock:
        tokens, at = _budgets.get(hook_id, (float(_BURST), now))
        tokens = min(float(_BURST), tokens + (now - at) * _PER_SECOND)
        _budgets[hook_id] = (max(0.0, tokens - 1.0) if tokens >= 1.0 else tokens, now)
    return tokens >= 1.0
