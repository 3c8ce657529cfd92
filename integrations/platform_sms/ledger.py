"""Credits that behave like money: reserved, settled or given back, always adding up.

Whoever moves credits locks the account's row first, so that movements of one organization happen one after the other.
The price of a message leaves the balance when the message is queued; what could not be sent brings it back.
"""

import uuid
from collections.abc import Iterable, Mapping
from decimal import ROUND_HALF_UP, Decimal

from django.db import connection, transaction

from integrations.organizations import audit
from integrations.organizations.models import Organization, User

from .models import CreditAccount, CreditEntry

STEP = Decimal("0.0001")
LARGEST = Decimal(1_000_000_000)
_Kind = CreditEntry.Kind
SENTENCES = {
    "credits.topped_up": "topped credits up by {amount}",
    "credits.adjusted": "adjusted credits by {amount}: {reason}",
}

# The entries of one statement follow each other by message, each with the balance that it leaves.
_CLOSE = """
WITH owed AS (
    SELECT r.account_id, r.message_id, -r.amount AS price
    FROM integrations_creditentry r
    WHERE r.kind = 'reserve' AND r.account_id = %(account)s AND r.message_id = ANY(%(messages)s)
        AND NOT EXISTS (
            SELECT 1 FROM integrations_creditentry c
            WHERE c.message_id = r.message_id AND c.kind IN ('settle', 'refund')
        )
), added AS (
    INSERT INTO integrations_creditentry
        (account_id, kind, amount, balance_after, message_id, note, actor_label, at)
    SELECT o.account_id, %(kind)s, o.price * %(share)s,
        a.balance + sum(o.price * %(share)s) OVER (ORDER BY o.message_id), o.message_id, %(note)s, '', now()
    FROM owed o JOIN integrations_creditaccount a ON a.id = o.account_id
    ORDER BY o.message_id
    RETURNING amount
)
UPDATE integrations_creditaccount SET balance = balance + (SELECT COALESCE(sum(amount), 0) FROM added)
WHERE id = %(account)s AND EXISTS (SELECT 1 FROM added)
"""


class CreditProblem(Exception):
    """Credits stay as they are; `detail` is for people, `code` is stable."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code, self.detail = code, detail


class InsufficientCredits(CreditProblem):
    """The balance does not cover what was to be reserved; nothing was."""

    def __init__(self, *, needed: Decimal, balance: Decimal) -> None:
        super().__init__(
            "insufficient_credits",
            f"This takes {shown(needed)} credits; {shown(balance)} are left. Ask your operator to top them up.",
        )
        self.needed, self.balance = needed, balance


def shown(amount: Decimal) -> str:
    """Write an amount of credits for people: grouped by thousands, without zeros at its end."""
    whole, _, rest = f"{amount:,.4f}".partition(".")
    rest = rest.rstrip("0")
    return f"{whole}.{rest}" if rest else whole


def balance_of(organization: Organization) -> Decimal:
    """Return the credits that are free to be spent; none where there is no account yet."""
    found = CreditAccount.objects.filter(organization=organization).values_list("balance", flat=True).first()
    return found if found is not None else Decimal(0)


def lock_balance(organization: Organization) -> Decimal:
    """Return the free credits, which nobody else can change until the caller's transaction ends."""
    return _locked(organization).balance


def top_up(
    organization: Organization,
    *,
    amount: Decimal,
    actor: User | str,
    note: str = "",
    request_id: uuid.UUID | None = None,
    ip: str = "",
) -> Decimal:
    """Add credits and return the new balance; the same request twice adds once. Raises CreditProblem."""
    amount = _readable(amount)
    if amount <= 0:
        raise CreditProblem("bad_amount", "Credits to add are a number above zero.")
    return _move_by_hand(
        organization, kind=_Kind.TOP_UP, amount=amount, actor=actor, note=note, request_id=request_id, ip=ip
    )


def adjust(
    organization: Organization,
    *,
    amount: Decimal,
    actor: User | str,
    reason: str,
    request_id: uuid.UUID | None = None,
    ip: str = "",
) -> Decimal:
    """Correct the balance by an amount above or below zero, saying why; return the new one. Raises CreditProblem."""
    amount, reason = _readable(amount), " ".join(reason.split())
    if not amount:
        raise CreditProblem("bad_amount", "An adjustment is a number above or below zero.")
    if not reason:
        raise CreditProblem("no_reason", "Write why: the organization reads it on its statement.")
    return _move_by_hand(
        organization, kind=_Kind.ADJUST, amount=amount, actor=actor, note=reason, request_id=request_id, ip=ip
    )


def reserve(organization: Organization, prices: Mapping[uuid.UUID, Decimal]) -> Decimal:
    """Set the prices of messages aside, in the caller's transaction, and return the balance that is left.

    `prices` are by message id. All or nothing: raises InsufficientCredits where the balance does not cover them
    together. A message that is reserved already is not reserved again.
    """
    with transaction.atomic():
        account = _locked(organization)
        known = set(
            CreditEntry.objects.filter(kind=_Kind.RESERVE, message_id__in=list(prices)).values_list(
                "message_id", flat=True
            )
        )
        wanted = {message: _readable(price) for message, price in prices.items() if message not in known}
        needed = sum(wanted.values(), Decimal(0))
        if needed > account.balance:
            raise InsufficientCredits(needed=needed, balance=account.balance)
        entries = []
        for message, price in wanted.items():
            account.balance -= price
            entries.append(
                CreditEntry(
                    account=account,
                    kind=_Kind.RESERVE,
                    amount=-price,
                    balance_after=account.balance,
                    message_id=message,
                )
            )
        CreditEntry.objects.bulk_create(entries)
        account.save(update_fields=["balance"])
    return account.balance


def settle(organization: Organization, messages: Iterable[uuid.UUID]) -> None:
    """Say of reserved messages that they were sent: their price is spent. Those that are closed already stay so."""
    _close(organization, messages, kind=_Kind.SETTLE, share=0)


def refund(organization: Organization, messages: Iterable[uuid.UUID], *, note: str = "") -> None:
    """Give the price of reserved messages back, because they were not sent. Those closed already stay so."""
    _close(organization, messages, kind=_Kind.REFUND, share=1, note=note)


def _close(organization: Organization, messages: Iterable[uuid.UUID], *, kind: str, share: int, note: str = "") -> None:
    ids = list(messages)
    if not ids:
        return
    with transaction.atomic():
        account = _locked(organization)
        with connection.cursor() as cursor:
            cursor.execute(
                _CLOSE,
                {"account": account.pk, "messages": ids, "kind": kind, "share": share, "note": note[:200]},
            )


def _move_by_hand(
    organization: Organization,
    *,
    kind: CreditEntry.Kind,
    amount: Decimal,
    actor: User | str,
    note: str,
    request_id: uuid.UUID | None,
    ip: str,
) -> Decimal:
    with transaction.atomic():
        account = _locked(organization)
        if request_id is not None and account.entries.filter(request_id=request_id).exists():
            return account.balance
        after = account.balance + amount
        if after < 0:
            raise InsufficientCredits(needed=-amount, balance=account.balance)
        if after > LARGEST:
            raise CreditProblem("bad_amount", f"An account holds at most {shown(LARGEST)} credits.")
        account.balance = after
        account.save(update_fields=["balance"])
        CreditEntry.objects.create(
            account=account,
            kind=kind,
            amount=amount,
            balance_after=after,
            request_id=request_id,
            note=note[:200],
            actor_label=(actor.email if isinstance(actor, User) else actor)[:200],
        )
        is_top_up = kind == _Kind.TOP_UP
        audit.record(
            organization,
            actor=actor,
            action="credits.topped_up" if is_top_up else "credits.adjusted",
            target=organization,
            changes={"amount": shown(amount), **({} if is_top_up else {"reason": note[:200]})},
            ip=ip,
        )
    return after


def _locked(organization: Organization) -> CreditAccount:
    """Return the account, made where there was none, its row locked until the transaction ends."""
    CreditAccount.objects.bulk_create([CreditAccount(organization=organization)], ignore_conflicts=True)
    return CreditAccount.objects.select_for_update().get(organization=organization)


def _readable(amount: Decimal) -> Decimal:
    if not amount.is_finite() or abs(amount) > LARGEST:
        raise CreditProblem("bad_amount", f"Credits are a number of at most {shown(LARGEST)}.")
    rounded = amount.quantize(STEP, rounding=ROUND_HALF_UP)
    if rounded != amount:
        raise CreditProblem("bad_amount", "Credits have at most four digits after the point.")
    return rounded
