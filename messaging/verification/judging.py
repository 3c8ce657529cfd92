"""Whether a code may be sent, as far as counts can tell: pure rules over rows that somebody else locked.

Four questions in turn. Was too much sent to this number, from this address, today? Has the visitor done his part of a
form that looks attacked? Are codes to numbers near this one confirmed as they used to be? And where very many codes of
a form are not confirmed (the brake): is this one of those that many ask for?
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from integrations.phones import region_name

from .askers import Asker
from .counting import BLOCKS, HOUR, WEEK, span_of
from .limit_models import LimitCount

Rows = Mapping[str, LimitCount]

# So much of a code may be missing, or waiting for the last bit of a sum to fade would take for ever.
_NEARLY = 0.9
_LONGEST_WAIT = 600
# How many codes an address or a network gets before its visitors have to solve a task.
_UNSOLVED = {"ip": 3, "network": 10}
# Wider blocks hold more people: ten times the numbers, but one carrier's range is rarely pumped as a whole.
_WEIGHTS = {"narrow": 1, "middle": 2, "wide": 6}
# Codes that were just sent can still be confirmed; so many times the figure may be on their way to one block.
_ON_THEIR_WAY = 4
# A server that asks by API, or a member, is no visitor who could be anybody.
_TRUSTED = 3
# While the brake is on: codes a minute, and after how many numbers of a block that asked no further one gets a code.
_PACE = 6
_HOT = {"narrow": 2, "middle": 3, "wide": 20}
_TWO_THIRDS = 2 / 3
_KNOWN = 50  # confirmed codes of a week from which on it is known what is usual
# Codes a day that a number gets although its hour or day is used up, and how many of them unconfirmed by one network.
_SPARE, _SPARE_OF_NETWORK = 12, 2


@dataclass(frozen=True)
class Refused:
    """Why not: the name of the limit, words for admins, seconds until it may be different.

    `held` names the row because of which admins have to hear of it, `pauses` that of the block that is to be paused.
    """

    name: str
    detail: str
    retry_after: int | None = None
    held: str = ""
    pauses: str = ""


@dataclass(frozen=True)
class Verdict:
    """What the counts say: refused or not, whether the brake was on, and whether the code is one of the spare ones."""

    refused: Refused | None
    is_braked: bool = False
    is_spare: bool = False


def judge(rows: Rows, *, figures: Mapping[str, int], asker: Asker) -> Verdict:
    """Return the verdict on one more code.

    What others asked for is nothing to a browser in which the number's owner was logged in: it has an allowance of its
    own, and is no machine that pumps.
    """
    if asker.device:
        return Verdict(_device(rows, figures) or _origin(rows, figures))
    is_public = asker.is_public
    used_up = _number(rows, figures)
    is_spare = used_up is not None and _has_spare(rows)
    refused = (None if is_spare else used_up) or _origin(rows, figures)
    needs_task = is_public and (is_spare or needs_challenge(rows, figures=figures))
    if refused is None and needs_task and not asker.has_passed:
        refused = Refused(
            "challenge", "Many codes that nobody confirms were asked for here: visitors solve a task first."
        )
    if refused is None:
        refused = _block(rows, figures, factor=1 if is_public else _TRUSTED) or _country(rows, figures)
    if refused is not None or not is_public or not is_braking(rows["asker"], figure=figures["asker"]):
        return Verdict(refused, is_spare=is_spare)
    return Verdict(_braked(rows, figures), is_braked=True, is_spare=is_spare)


def judge_address(rows: Rows, *, figures: Mapping[str, int]) -> Refused | None:
    """Return the verdict on one more code by e-mail."""
    if wait := _spent(rows["address"], figures["address"]):
        return Refused("address", f"{figures['address']} codes an hour go to one e-mail address.", wait)
    if wait := _spent(rows["addresses"], figures["addresses"]):
        return Refused("addresses", f"{figures['addresses']:,} codes an hour go out by e-mail.", wait)
    return None


def needs_challenge(rows: Rows, *, figures: Mapping[str, int]) -> bool:
    """Tell whether a visitor has to solve a task: the form, the address or the network asks for much unconfirmed."""
    asker = rows.get("asker")
    least = max(figures["asker"] / 10, min(5, figures["asker"]))
    if asker is not None and _open(asker) + _NEARLY > least + _earned(asker):
        return True
    found = ((rows.get(scope), figure) for scope, figure in _UNSOLVED.items())
    return any(row is not None and _open(row) + _NEARLY > figure + row.approved for row, figure in found)


def is_braking(asker: LimitCount, *, figure: int) -> bool:
    """Tell whether so many codes of a form are not confirmed that further ones leave slowly."""
    least = max(figure / 5, min(10, figure))
    return _open(asker) + _NEARLY > least + _earned(asker)


def resend_wait(sends: int, *, first: int = 30) -> int:
    """Return how many seconds to wait after so many codes in a row: 30, 60, 120 and so on, ten minutes at most."""
    return min(_LONGEST_WAIT, first * 2 ** (min(max(sends, 1), 12) - 1))


def growth_of(block: LimitCount) -> str:
    """Say what is unusual about a block: it grew, or what used to be confirmed is not any more."""
    before = max(0.0, block.usual_sent - block.sent) * HOUR / WEEK
    return "growth" if block.sent > 3 * before + 1 else "conversion"


def _number(rows: Rows, figures: Mapping[str, int]) -> Refused | None:
    number, day = rows["number"], rows["number_day"]
    if wait := _full(number, figures["number"]):
        return Refused("number", f"{figures['number']} codes an hour that nobody confirms go to one number.", wait)
    if wait := _spent(day, figures["number_day"]):
        return Refused("number_day", f"{figures['number_day']} codes a day go to one number.", wait)
    return None


def _has_spare(rows: Rows) -> bool:
    """Tell whether a number that others used up gets one of its spare codes.

    Strangers who ask for codes to a number would keep its owner out for the day. A network that has not asked for it,
    or whose codes were confirmed, gets two more: one stranger has no other network, and one who has many solves a task
    for each code and comes to the end of the day's few.
    """
    spare, pair = rows.get("spare"), rows.get("pair")
    if spare is None or pair is None:
        return False
    return not _spent(spare, _SPARE) and not _full(pair, _SPARE_OF_NETWORK)


def _device(rows: Rows, figures: Mapping[str, int]) -> Refused | None:
    device = rows["device"]
    # Confirmed ones too, since it could ask for and confirm them for ever; four times what is usual for somebody else.
    if wait := _full(device, figures["number"]) or _spent(device, 4 * figures["number"]):
        return Refused("number", f"{figures['number']} codes an hour that nobody confirms go to one device.", wait)
    return None


def _origin(rows: Rows, figures: Mapping[str, int]) -> Refused | None:
    if wait := _spent(rows["day"], figures["day"]):
        return Refused("day", f"All {figures['day']:,} codes of the day are used.", wait, held="day")
    for scope, words in (("ip", "one internet address"), ("network", "one network")):
        row = rows.get(scope)
        if row is not None and (wait := _full(row, figures[scope], earned=row.approved)):
            return Refused(scope, f"{figures[scope]} codes an hour that nobody confirms go to {words}.", wait)
    return None


def _block(rows: Rows, figures: Mapping[str, int], *, factor: int) -> Refused | None:
    for scope in BLOCKS:
        block = rows.get(scope)
        if block is None:
            continue
        figure = figures["prefix"] * _WEIGHTS[scope] * factor
        usual = 3 * max(0.0, block.usual_sent - block.usual_approved) * HOUR / WEEK
        room = figure + _earned(block) + usual
        # What was sent within minutes is no evidence yet: a shift of drivers with neighbouring numbers signs in at six.
        if max(0.0, _open(block) - block.fresh) + _NEARLY > room:
            return Refused("prefix", f"Too many codes to {block.key}… are not confirmed.", pauses=scope)
        if _open(block) + _NEARLY > _ON_THEIR_WAY * figure + _earned(block) + usual:
            return Refused("prefix", f"Many codes to {block.key}… are on their way and not confirmed yet.", 60)
    return None


def _country(rows: Rows, figures: Mapping[str, int]) -> Refused | None:
    country = rows["country"]
    if wait := _full(country, figures["country"], earned=_earned(country)):
        words = (
            f"{figures['country']} codes an hour that nobody confirms go to one country ({region_name(country.key)})."
        )
        return Refused("country", words, wait, held="country")
    return None


def _braked(rows: Rows, figures: Mapping[str, int]) -> Refused | None:
    asker = rows["asker"]
    hot = {scope for scope, most in _HOT.items() if _is_hot(rows.get(scope), most)}
    if hot & {"narrow", "middle"}:
        return Refused(
            "prefix",
            "The form looks attacked, and many numbers near this one were asked for without confirming.",
            600,
            held="asker",
        )
    # Around these many are asked for as well, if not right beside them: they do not get the last third.
    share = _TWO_THIRDS if hot else 1.0
    if wait := _full(asker, figures["asker"] * share, earned=_earned(asker)):
        words = f"{figures['asker']} codes an hour that nobody confirms leave by one form or portal."
        return Refused("asker", words, wait, held="asker")
    if wait := _spent(asker, _PACE * share, sum_=asker.paced, span=60.0):
        return Refused("asker", "The form looks attacked: codes leave a few a minute.", max(5, wait), held="asker")
    return None


def _is_hot(block: LimitCount | None, most: int) -> bool:
    return block is not None and block.asked + _NEARLY > most + 3 * block.approved


def _open(row: LimitCount) -> float:
    return max(0.0, row.sent - row.approved)


def _earned(row: LimitCount) -> float:
    """Return how many unconfirmed codes the confirmed ones of this hour excuse.

    One each, until a week has shown how many visitors usually do not confirm; from then on half as many again as that,
    so that among a thousand visitors an attacker finds room for no other thousand.
    """
    approved = min(row.approved, row.sent)  # of a number's many codes a block has counted one
    if row.usual_approved < _KNOWN:
        return approved
    usual = max(0.0, row.usual_sent - row.usual_approved) / row.usual_approved
    return approved * min(1.0, max(0.2, 1.5 * usual))


def _full(row: LimitCount, figure: float, *, earned: float = 0.0) -> int:
    """Return how many seconds it takes until one more unconfirmed code has room; 0 where it has."""
    if _open(row) + _NEARLY <= figure + earned:
        return 0
    return _until(_open(row) - earned, figure, span=span_of(row.scope))


def _spent(row: LimitCount, figure: float, *, sum_: float | None = None, span: float = 0.0) -> int:
    """Return how many seconds it takes until one more code has room, confirmed ones counted too; 0 where it has."""
    total = row.sent if sum_ is None else sum_
    return 0 if total + _NEARLY <= figure else _until(total, figure, span=span or span_of(row.scope))


def _until(total: float, figure: float, *, span: float) -> int:
    return _up(span * math.log(max(total, 1e-9) / max(figure - _NEARLY, 0.05)))


def _up(seconds: float) -> int:
    return max(1, math.ceil(seconds))
