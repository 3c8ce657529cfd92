"""Logins of portal users: a cookie for each portal, below its address, with nothing in it but a random token.

They have nothing to do with members' sessions: Django's session and `request.user` are not read on a page of a portal,
and no page of members reads these cookies. A login begins with a fresh token, so that nobody can have put it there
before; what ends is ended on the server.
"""

import secrets
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Now
from django.http import HttpRequest, HttpResponseBase
from django.utils.crypto import constant_time_compare, salted_hmac

from integrations.clock import database_now
from integrations.masking import mask_ip
from integrations.organizations.network import client_ip
from integrations.phones import find_region

from . import devices
from .models import Portal, PortalDevice, PortalLogin, PortalSession, PortalText, PortalUser
from .telling import tell

SESSION, DEVICE = "hg_portal", "hg_device"
# How exactly one is told when somebody was here last.
_SEEN_EVERY = timedelta(minutes=5)
_KEPT = timedelta(days=90)
_LONGEST_TOKEN = 100


class NotAdmitted(Exception):
    """The person is not active any more at this moment: suspended, rejected, gone."""


def open_session(
    response: HttpResponseBase,
    portal: Portal,
    user: PortalUser,
    *,
    how: str,
    request: HttpRequest,
    outcome: str = PortalLogin.Outcome.IN,
) -> PortalSession:
    """Log a person in: put the cookies on the response and return the session; raise NotAdmitted.

    The session's id is new whatever the browser brought, and what it was logged in as before is ended. The history
    gets its line; of a device that is not the first and was not seen before the person hears by SMS, if the portal
    wants it so.
    """
    token = secrets.token_urlsafe(32)
    network = mask_ip(client_ip(request))[:60]
    with transaction.atomic():
        # The person's row is held until the session stands: who suspends them now waits, and ends this one too.
        active = PortalUser.objects.filter(pk=user.pk, portal=portal, status=PortalUser.Status.ACTIVE)
        if not active.update(last_login_at=Now()):
            raise NotAdmitted
        if (former := current(request, portal)) is not None:
            end(former)
        has_others = PortalDevice.objects.filter(user=user).exists()
        device, device_token, is_new = devices.remember(
            user, token=request.COOKIES.get(DEVICE, ""), user_agent=request.headers.get("User-Agent", "")
        )
        session = PortalSession.objects.create(
            user=user,
            device=device,
            token_hash=devices.hash_of(token),
            network=network,
            expires_at=Now() + timedelta(days=portal.session_days),
        )
        session.refresh_from_db()
        note_login(portal, user, how=how, outcome=outcome, request=request, device=device.label, is_new_device=is_new)
        if is_new and has_others and portal.tells_new_logins:
            user.portal = portal
            tell(user, PortalText.Kind.NEW_LOGIN, values={"device": device.label})
    lasts = int((session.expires_at - database_now()).total_seconds())
    put_cookie(response, request, portal, SESSION, token, lasts=lasts)
    put_cookie(response, request, portal, DEVICE, device_token, lasts=int(devices.LASTS.total_seconds()))
    return session


def current(request: HttpRequest, portal: Portal) -> PortalSession | None:
    """Return the session of this browser in this portal, with its person; None where nobody is logged in."""
    token = request.COOKIES.get(SESSION, "")
    if not token or len(token) > _LONGEST_TOKEN:
        return None
    session = (
        PortalSession.objects.select_related("user__role", "device")
        .filter(
            token_hash=devices.hash_of(token),
            user__portal=portal,
            user__status=PortalUser.Status.ACTIVE,
            ended_at=None,
            expires_at__gt=Now(),
        )
        .first()
    )
    if session is not None:
        session.user.portal = portal
        if database_now() - session.seen_at > _SEEN_EVERY:
            PortalSession.objects.filter(pk=session.pk).update(seen_at=Now())
    return session


def is_suspended(request: HttpRequest, portal: Portal) -> bool:
    """Tell whether this browser was logged in until the person was suspended.

    Only who has the cookie of that very login hears of it; one that was over before says nothing.
    """
    token = request.COOKIES.get(SESSION, "")
    if not token or len(token) > _LONGEST_TOKEN:
        return False
    return PortalSession.objects.filter(
        token_hash=devices.hash_of(token),
        user__portal=portal,
        user__status=PortalUser.Status.SUSPENDED,
        ended_at__gte=F("user__decided_at"),
    ).exists()


def end(session: PortalSession) -> bool:
    """Log out; False where it was ended already. The cookie that is left opens nothing."""
    return bool(PortalSession.objects.filter(pk=session.pk, ended_at=None).update(ended_at=Now()))


def end_all(user: PortalUser, except_: PortalSession | None = None) -> int:
    """Log a person out everywhere, but for one session if it is named; return how many were ended."""
    rows = PortalSession.objects.filter(user=user, ended_at=None)
    if except_ is not None:
        rows = rows.exclude(pk=except_.pk)
    return rows.update(ended_at=Now())


def forget_old() -> int:
    """Delete sessions that are over for months and return how many; the history of logins stays."""
    long_ago = Now() - _KEPT
    return PortalSession.objects.filter(Q(ended_at__lt=long_ago) | Q(expires_at__lt=long_ago)).delete()[0]


def csrf_token(session: PortalSession) -> str:
    """Return what each form of a page brings back, to show that it is a page of this login."""
    return salted_hmac("portal.accounts.csrf", session.token_hash, algorithm="sha256").hexdigest()[:40]


def csrf_holds(session: PortalSession, token: str) -> bool:
    """Tell whether a form came from a page of this login."""
    return constant_time_compare(token, csrf_token(session))


def note_login(
    portal: Portal,
    user: PortalUser | None,
    *,
    how: str,
    outcome: str,
    request: HttpRequest,
    device: str = "",
    is_new_device: bool = False,
) -> PortalLogin:
    """Write a line into the history of logins."""
    return PortalLogin.objects.create(
        portal=portal,
        user=user,
        how=how,
        outcome=outcome,
        region=find_region(user.phone)[:3] if user is not None and user.phone else "",
        device=(device or devices.label_of(request.headers.get("User-Agent", "")))[:80],
        is_new_device=is_new_device,
        network=mask_ip(client_ip(request))[:60],
    )


def root_of(request: HttpRequest, portal: Portal) -> str:
    """Return the address of the portal as this visitor sees it: `/p/acme/`, or `/` on a domain of its own."""
    return str(getattr(request, "portal_root", f"/p/{portal.slug}/"))


def is_on_own_domain(request: HttpRequest) -> bool:
    """Tell whether the visitor is at a domain of the portal's own, where nothing else of the product is."""
    return hasattr(request, "portal_root")


def put_cookie(
    response: HttpResponseBase, request: HttpRequest, portal: Portal, name: str, value: str, *, lasts: int | None = None
) -> None:
    """Set a cookie of this portal: for its addresses only, out of reach of scripts and of other sites' forms."""
    response.set_cookie(
        name,
        value,
        max_age=lasts,
        path=root_of(request, portal),
        httponly=True,
        samesite="Lax",
        secure=request.is_secure() or settings.SESSION_COOKIE_SECURE,
    )


def drop_cookie(response: HttpResponseBase, request: HttpRequest, portal: Portal, name: str) -> None:
    """Take a cookie of this portal away."""
    response.delete_cookie(name, path=root_of(request, portal), samesite="Lax")
