"""The browsers that people of a portal log in with: known again by a cookie, named by what they say of themselves."""

import hashlib
import re
import secrets
from datetime import timedelta

from django.db.models.functions import Now
from django.utils import timezone

from .models import Portal, PortalDevice, PortalUser

# A browser is known again for as long as people keep theirs; browsers themselves forget after 400 days.
LASTS = timedelta(days=390)
_LONGEST_TOKEN = 100
# The first that fits: most browsers also claim to be those that came before them.
_BROWSERS = (
    ("Edge", r"\bEdg(e|A|iOS)?/"),
    ("Samsung Internet", r"\bSamsungBrowser/"),
    ("Opera", r"\bOPR/|\bOpera\b"),
    ("WeChat", r"\bMicroMessenger/"),
    ("Firefox", r"\b(Firefox|FxiOS)/"),
    ("Chrome", r"\b(Chrome|CriOS|HeadlessChrome)/"),
    ("Safari", r"\bVersion/.*\bSafari/"),
)
_SYSTEMS = (
    ("iPhone", r"\biPhone\b"),
    ("iPad", r"\biPad\b"),
    ("Android", r"\bAndroid\b"),
    ("HarmonyOS", r"\b(HarmonyOS|OpenHarmony)\b"),
    ("Windows", r"\bWindows\b"),
    ("Mac", r"\bMacintosh\b"),
    ("ChromeOS", r"\bCrOS\b"),
    ("Linux", r"\bLinux\b"),
)


def known_device(user: PortalUser, token: str) -> PortalDevice | None:
    """Return the device of this cookie, if this person was logged in on it before."""
    if not token or len(token) > _LONGEST_TOKEN:
        return None
    return PortalDevice.objects.filter(user=user, token_hash=hash_of(token)).first()


def device_of_number(portal: Portal, phone: str, token: str) -> str:
    """Return a name for the device if the person of this number was logged in on it, "" otherwise.

    Codes that are asked for on it are counted apart: whoever else asks for codes to this number uses up none of them.
    """
    if not token or len(token) > _LONGEST_TOKEN or not phone:
        return ""
    rows = PortalDevice.objects.filter(token_hash=hash_of(token), user__portal=portal, user__phone=phone)
    found = rows.values_list("pk", flat=True).first()
    return found.hex if found is not None else ""


def remember(user: PortalUser, *, token: str, user_agent: str) -> tuple[PortalDevice, str, bool]:
    """Return the device of the cookie, made where there is none; the token for its cookie; and whether it is new."""
    label = label_of(user_agent)
    known = known_device(user, token)
    if known is not None:
        PortalDevice.objects.filter(pk=known.pk).update(last_seen=Now(), label=label)
        known.last_seen, known.label = timezone.now(), label
        return known, token, False
    token = secrets.token_urlsafe(32)
    return PortalDevice.objects.create(user=user, token_hash=hash_of(token), label=label), token, True


def forget_old() -> int:
    """Delete devices whose cookie has run out and that nobody is logged in on; return how many."""
    unused = PortalDevice.objects.filter(last_seen__lt=Now() - LASTS)
    return unused.exclude(sessions__ended_at=None, sessions__expires_at__gt=Now()).delete()[0]


def label_of(user_agent: str) -> str:
    """Return what to call a browser: “Firefox, Android”. It is the browser's own claim."""
    said = user_agent[:400]
    found = [next((name for name, pattern in names if re.search(pattern, said)), "") for names in (_BROWSERS, _SYSTEMS)]
    return ", ".join(filter(None, found)) or "?"


def hash_of(token: str) -> str:
    """Return what is kept of a random token; that is long enough for a plain hash."""
    return hashlib.sha256(token.encode()).hexdigest()
