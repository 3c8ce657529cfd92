"""STOP, START and HELP: the words, whom they block, and what is answered.

Words and scope are Twilio's (https://help.twilio.com/articles/223134027), the answers are ours.
"""

from .model import Account, Number, Service
from .recipients import is_toll_free

_STOP = frozenset({"STOP", "UNSUBSCRIBE", "END", "QUIT", "STOPALL", "REVOKE", "OPTOUT", "CANCEL"})
_START = frozenset({"START", "YES", "UNSTOP"})
_TOLL_FREE_START = frozenset({"START", "UNSTOP"})  # carriers undo their block for nothing else
_HELP = frozenset({"HELP", "INFO"})

_STOPPED = "You are unsubscribed and get no more messages from this sender. Answer START to get them again."
_STARTED = "You are subscribed again. Answer STOP to get no more messages."
_HELPED = "Answer STOP to get no more messages from this sender. Message rates may apply."
_NETWORK_STOPPED = "Your network now blocks texts from this number. Answer UNSTOP to lift the block."


def read_keyword(number: Number, body: str) -> str:
    """Return STOP, START or HELP where the whole text is such a word, else an empty string.

    For short codes Twilio does nothing by itself.
    """
    if number.kind == "short_code":
        return ""
    word = body.strip().upper()
    if word in _STOP:
        return "STOP"
    if word in (_TOLL_FREE_START if is_toll_free(number.value) else _START):
        return "START"
    return "HELP" if word in _HELP else ""


def obey(account: Account, number: Number, phone: str, keyword: str, *, service: Service | None) -> str:
    """Change the block list and return the automatic answer, empty where there is none.

    The scope is the pair of the two numbers, and for a number in a pool the whole Messaging Service too.
    """
    scopes = {(number.value, phone)} | ({(service.sid, phone)} if service is not None else set())
    if keyword == "STOP":
        account.blocked |= scopes
        return _NETWORK_STOPPED if is_toll_free(number.value) else _STOPPED
    if keyword == "START":
        account.blocked -= scopes
        return _STARTED
    if keyword == "HELP" and not account.blocked & scopes:
        return _HELPED
    return ""
