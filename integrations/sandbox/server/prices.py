"""What a segment costs in the sandbox: invented round figures in USD, in the order of magnitude of real ones."""

from decimal import Decimal
from functools import lru_cache

CURRENCY = "USD"
_DEFAULT = Decimal("0.05000")
_BY_CALLING_CODE: dict[int, Decimal] = {
    1: Decimal("0.00800"),
    33: Decimal("0.08000"),
    34: Decimal("0.07500"),
    39: Decimal("0.09000"),
    41: Decimal("0.07000"),
    43: Decimal("0.09500"),
    44: Decimal("0.05000"),
    48: Decimal("0.04500"),
    49: Decimal("0.10000"),
    61: Decimal("0.05500"),
    81: Decimal("0.07500"),
    86: Decimal("0.04000"),
    91: Decimal("0.08500"),
}


def segment_price(calling_code: int) -> Decimal:
    """Return what the sandbox charges for one segment."""
    return _BY_CALLING_CODE.get(calling_code, _DEFAULT)


@lru_cache(maxsize=4096)
def price_of(calling_code: int, *, segments: int) -> str:
    """Return the price of a message as Twilio writes it: negative, five decimals."""
    return str(-segment_price(calling_code) * segments)
