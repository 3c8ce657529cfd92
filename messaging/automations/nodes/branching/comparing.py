"""Comparisons by the type of a field. What is missing, or cannot be read, compares as empty: nothing here raises."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from decimal import Decimal, InvalidOperation
from typing import Any

from messaging.automations.fields import Type

MOST_DAYS = 3650


@dataclass(frozen=True)
class Now:
    """The moment of a comparison, and the zone in which days are counted."""

    moment: datetime
    zone: tzinfo

    @property
    def today(self) -> date:
        return self.moment.astimezone(self.zone).date()


Comparison = Callable[[Any, str, Now], bool]


@dataclass(frozen=True)
class Operation:
    """How a value is compared: the words for it, the types it fits, and whether it needs something to compare with."""

    words: str
    types: frozenset[Type]
    needs_value: bool = True


_WORDS = frozenset({Type.TEXT, Type.PHONE, Type.CHOICE})
_DAYS = frozenset({Type.DATE, Type.MOMENT})
_ALL = frozenset(Type)

OPERATIONS: dict[str, Operation] = {
    "is": Operation("is", _WORDS | {Type.NUMBER} | _DAYS),
    "is_not": Operation("is not", _WORDS | {Type.NUMBER}),
    "contains": Operation("contains", _WORDS),
    "begins": Operation("begins with", _WORDS),
    "in": Operation("is one of (with commas between)", _WORDS),
    "lt": Operation("is less than", frozenset({Type.NUMBER})),
    "le": Operation("is at most", frozenset({Type.NUMBER})),
    "gt": Operation("is more than", frozenset({Type.NUMBER})),
    "ge": Operation("is at least", frozenset({Type.NUMBER})),
    "before": Operation("is before", _DAYS),
    "after": Operation("is after", _DAYS),
    "last_days": Operation("lies in the last … days", _DAYS),
    "next_days": Operation("lies in the next … days", _DAYS),
    "yes": Operation("is yes", frozenset({Type.YES_NO}), needs_value=False),
    "no": Operation("is no", frozenset({Type.YES_NO}), needs_value=False),
    "empty": Operation("is empty", _ALL, needs_value=False),
    "filled": Operation("is filled in", _ALL, needs_value=False),
}


def compare(value: Any, operation: str, wanted: str, *, kind: Type, now: Now) -> bool:
    """Tell whether a value compares as wanted."""
    if operation == "empty":
        return as_text(value) == ""
    if operation == "filled":
        return as_text(value) != ""
    judge = _BY_TYPE[kind].get(operation)
    return judge(value, wanted, now) if judge is not None else False


def why_not(operation: str, wanted: str, *, kind: Type, now: Now) -> str:
    """Say what is wrong with what somebody wants to compare with, "" where nothing is."""
    known = OPERATIONS.get(operation)
    if known is None or kind not in known.types:
        return "A field of this type cannot be compared in this way. Choose another comparison."
    if not known.needs_value or "{{" in wanted:
        return ""
    if not wanted.strip():
        return "Write what to compare with."
    if operation in {"last_days", "next_days"}:
        days = as_number(wanted)
        if days is None or days != days.to_integral_value() or not 1 <= days <= MOST_DAYS:
            return f"Write a whole number of days, from 1 to {MOST_DAYS:,}."
    elif kind == Type.NUMBER and as_number(wanted) is None:
        return "Write a number, for example 12 or 12.5."
    elif kind in _DAYS and as_moment(wanted, now) is None:
        return "Write a date like 2026-05-01, a moment like 2026-05-01 09:00, or today."
    return ""


def as_text(value: Any) -> str:
    """Return a value as texts are compared: without case, without blanks around it."""
    if value is None or isinstance(value, Mapping | list):
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value).strip().casefold()


def as_number(value: Any) -> Decimal | None:
    """Return a value as a number, None where it is none."""
    if isinstance(value, bool) or (isinstance(value, float) and not math.isfinite(value)):
        return None
    try:
        number = Decimal(str(value).strip().replace(" ", "").replace("\u202f", "").replace("\u00a0", ""))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def as_moment(value: Any, now: Now) -> datetime | None:
    """Return a moment, or the beginning of a day, None where it is neither; without a zone it is `now`'s."""
    text = as_text(value)
    if text in {"now", "today"}:
        return now.moment if text == "now" else datetime.combine(now.today, time.min, now.zone)
    try:
        found = datetime.fromisoformat(text.upper())
    except ValueError:
        return None
    if not 1 < found.year < 9999:  # the ends of the calendar, which cannot be told in every zone
        found = found.replace(year=2 if found.year < 1000 else 9998, day=min(found.day, 28))
    return found if found.tzinfo is not None else found.replace(tzinfo=now.zone)


def _day(value: Any, now: Now) -> date | None:
    moment = as_moment(value, now)
    return moment.astimezone(now.zone).date() if moment is not None else None


def _numbers(judge: Callable[[Decimal, Decimal], bool]) -> Comparison:
    def compare_numbers(value: Any, wanted: str, now: Now) -> bool:
        left, right = as_number(value), as_number(wanted)
        return left is not None and right is not None and judge(left, right)

    return compare_numbers


def _is_number(value: Any, wanted: str, now: Now) -> bool:
    return as_number(value) == as_number(wanted)


def _in(value: Any, wanted: str, now: Now) -> bool:
    text = as_text(value)
    return bool(text) and text in {as_text(one) for one in wanted.split(",")}


def _contains(value: Any, wanted: str, now: Now) -> bool:
    return bool(as_text(wanted)) and as_text(wanted) in as_text(value)


def _begins(value: Any, wanted: str, now: Now) -> bool:
    return bool(as_text(wanted)) and as_text(value).startswith(as_text(wanted))


def _is_yes(value: Any) -> bool | None:
    text = as_text(value)
    return True if text in {"yes", "true", "1", "on", "y"} else None if text == "" else False


def _before(value: Any, wanted: str, now: Now) -> bool:
    left, right = as_moment(value, now), as_moment(wanted, now)
    return left is not None and right is not None and left < right


def _after(value: Any, wanted: str, now: Now) -> bool:
    left, right = as_moment(value, now), as_moment(wanted, now)
    if left is None or right is None:
        return False
    # After a day is when that day is over.
    return _day(left.isoformat(), now) > _day(wanted, now) if _is_day(wanted) else left > right  # type: ignore[operator]


def _same(value: Any, wanted: str, now: Now) -> bool:
    left, right = as_moment(value, now), as_moment(wanted, now)
    if left is None or right is None:
        return left is right
    return _day(value, now) == _day(wanted, now) if _is_day(wanted) or _is_day(value) else left == right


def _is_day(value: Any) -> bool:
    text = as_text(value)
    return len(text) == 10 or text == "today"


def _within(value: Any, wanted: str, now: Now, *, sign: int) -> bool:
    days = as_number(wanted)
    if days is None or not 0 <= days <= MOST_DAYS:
        return False
    span = timedelta(days=int(days)) * sign
    if _is_day(value):
        day = _day(value, now)
        first, last = sorted((now.today, now.today + span))
        return day is not None and first <= day <= last
    moment = as_moment(value, now)
    begin, end = sorted((now.moment, now.moment + span))
    return moment is not None and begin <= moment <= end


_TEXTS: dict[str, Comparison] = {
    "is": lambda value, wanted, now: as_text(value) == as_text(wanted),
    "is_not": lambda value, wanted, now: as_text(value) != as_text(wanted),
    "contains": _contains,
    "begins": _begins,
    "in": _in,
}
_TIMES: dict[str, Comparison] = {
    "is": _same,
    "before": _before,
    "after": _after,
    "last_days": lambda value, wanted, now: _within(value, wanted, now, sign=-1),
    "next_days": lambda value, wanted, now: _within(value, wanted, now, sign=1),
}
_BY_TYPE: dict[Type, dict[str, Comparison]] = {
    Type.TEXT: _TEXTS,
    Type.PHONE: _TEXTS,
    Type.CHOICE: _TEXTS,
    Type.NUMBER: {
        "is": _is_number,
        "is_not": lambda value, wanted, now: not _is_number(value, wanted, now),
        "lt": _numbers(lambda left, right: left < right),
        "le": _numbers(lambda left, right: left <= right),
        "gt": _numbers(lambda left, right: left > right),
        "ge": _numbers(lambda left, right: left >= right),
    },
    Type.DATE: _TIMES,
    Type.MOMENT: _TIMES,
    Type.YES_NO: {
        "yes": lambda value, wanted, now: _is_yes(value) is True,
        "no": lambda value, wanted, now: _is_yes(value) is False,
    },
}
