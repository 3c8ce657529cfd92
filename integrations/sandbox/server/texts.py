"""What only virtual phones show: codes from Verify, automatic answers to STOP and HELP."""

from collections import deque

from .model import Account, Text

_PER_PHONE = 100
_PHONES_AT_MOST = 20_000


def put_text(account: Account, phone: str, text: Text) -> None:
    """Let a text appear on a virtual phone; the phones that were quiet the longest lose theirs first."""
    texts = account.texts.pop(phone, None)
    if texts is None:
        texts = deque(maxlen=_PER_PHONE)
        if len(account.texts) >= _PHONES_AT_MOST:
            del account.texts[next(iter(account.texts))]
    account.texts[phone] = texts
    texts.append(text)
