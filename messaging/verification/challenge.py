"""What a visitor's browser does before a form that looks attacked sends a code; and the wait where no script runs.

The task is to find a number by trying: the one for which SHA-256 of a salt and the number is a given value. It takes a
telephone about a second and nobody notices; whoever asks ten thousand times pays for ten thousand seconds. Our own
script of a few lines does it (config/static/heliograph/challenge.js), nothing comes from elsewhere, nothing is stored.

Where no script runs a page waits instead, with a signed time before which it is worth nothing. Both are good for one
request by one form and for minutes only.
"""

import base64
import binascii
import hashlib
import json
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection
from django.utils.crypto import constant_time_compare, salted_hmac

from integrations.clock import database_now
from integrations.organizations.models import Organization

from .askers import Asker
from .counting import key_of_asker, keys_of_address, read
from .judging import is_braking, needs_challenge
from .limits import figures_of, policy_of

LIVES = timedelta(minutes=10)
WAIT_SECONDS = 20
# How many numbers there are to try, half of them on average; four times as many while the brake is on.
_TRIES = 60_000
_BRAKED_TIMES = 4
_SPEND = """
INSERT INTO messaging_spentproof (proof, expires_at) VALUES (%s, %s) ON CONFLICT (proof) DO NOTHING RETURNING id
"""


@dataclass(frozen=True)
class Challenge:
    """A task: find the number below `most` for which SHA-256 of `salt` + number, in hex, is `target`."""

    salt: str
    target: str
    most: int
    signature: str

    @property
    def text(self) -> str:
        """The task as the script reads it from the page; its answer is `salt:number:signature`."""
        return f"{self.salt}:{self.target}:{self.most}:{self.signature}"


def is_needed(organization: Organization, asker: Asker) -> bool:
    """Tell whether this visitor has to solve a task before a code is sent; only forms and portals ask for one."""
    if not asker.is_public or asker.device:
        return False
    return needs_challenge(_rows(organization, asker), figures=figures_of(policy_of(organization)))


def make(organization: Organization, asker: Asker) -> Challenge:
    """Return a new task for this form."""
    row = _rows(organization, asker).get("asker")
    is_heavy = row is not None and is_braking(row, figure=figures_of(policy_of(organization))["asker"])
    most = _TRIES * (_BRAKED_TIMES if is_heavy else 1)
    salt = f"{int((database_now() + LIVES).timestamp())}.{secrets.token_hex(12)}"
    target = _digest(salt, secrets.randbelow(most))
    return Challenge(salt=salt, target=target, most=most, signature=_sign(asker, salt, target))


def solved(answer: str, *, asker: Asker) -> bool:
    """Tell whether a task of this form was solved, in time and for the first time; it is spent then."""
    salt, _, rest = answer.strip()[:300].partition(":")
    number, _, signature = rest.partition(":")
    if not number.isascii() or not number.isdecimal() or len(number) > 9:
        return False
    if not constant_time_compare(signature, _sign(asker, salt, _digest(salt, int(number)))):
        return False
    expires_at = _time(salt.partition(".")[0])
    return expires_at is not None and expires_at > database_now() and spend(signature, expires_at)


def waiting_token(asker: Asker) -> str:
    """Return what a visitor without scripts gives back after WAIT_SECONDS, from the same network."""
    now = database_now()
    what = {
        "from": int((now + timedelta(seconds=WAIT_SECONDS)).timestamp()) + 1,
        "until": int((now + LIVES).timestamp()),
        "once": secrets.token_hex(8),
    }
    body = base64.urlsafe_b64encode(json.dumps(what).encode()).decode().rstrip("=")
    return f"{body}.{_sign_wait(asker, body)}"


def waited(token: str, *, asker: Asker) -> bool:
    """Tell whether the wait is over and was not used yet; it is spent then."""
    body, _, signature = token.strip()[:300].partition(".")
    if not constant_time_compare(signature, _sign_wait(asker, body)):
        return False
    what = _read(body)
    begins, ends = _time(str(what.get("from", ""))), _time(str(what.get("until", "")))
    if begins is None or ends is None or not begins <= database_now() < ends:
        return False
    return spend(signature, ends)


def passed(answer: str, waiting: str, *, asker: Asker) -> bool:
    """Tell whether a visitor brought the answer of a task, or has waited; either is spent then."""
    if answer and solved(answer, asker=asker):
        return True
    return bool(waiting) and waited(waiting, asker=asker)


def seconds_to_wait(token: str) -> int:
    """Return how many seconds of the wait are left, for the page to say; it proves nothing."""
    begins = _time(str(_read(token.strip()[:300].partition(".")[0]).get("from", "")))
    return 0 if begins is None else max(0, round((begins - database_now()).total_seconds()))


def _rows(organization: Organization, asker: Asker) -> dict[str, Any]:
    keys = [key_of_asker(asker), *keys_of_address(asker.ip)]
    return {key.scope: row for key, row in read(organization, keys, now=database_now()).items()}


def _digest(salt: str, number: int) -> str:
    return hashlib.sha256(f"{salt}{number}".encode()).hexdigest()


def _sign(asker: Asker, salt: str, target: str) -> str:
    return _hmac(f"work|{asker.kind}|{asker.id}|{salt}|{target}")


def _sign_wait(asker: Asker, body: str) -> str:
    network = [key.key for key in keys_of_address(asker.ip) if key.scope == "network"]
    return _hmac(f"wait|{asker.kind}|{asker.id}|{''.join(network)}|{body}")


def _hmac(value: str) -> str:
    return salted_hmac("verification.challenge", value, secret=settings.SECRET_KEY, algorithm="sha256").hexdigest()


def _read(body: str) -> dict[str, Any]:
    try:
        found = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    except (ValueError, binascii.Error):
        return {}
    return found if isinstance(found, dict) else {}


def _time(seconds: str) -> datetime | None:
    if not seconds.isascii() or not seconds.isdecimal() or len(seconds) > 11:
        return None
    return datetime.fromtimestamp(int(seconds), tz=database_now().tzinfo)


def spend(proof: str, expires_at: datetime) -> bool:
    """Use a signed proof up, which is good until then; of many at once one does."""
    with connection.cursor() as cursor:
        cursor.execute(_SPEND, [proof[:64], expires_at])
        return cursor.fetchone() is not None
