"""How allauth behaves here: who may sign up, where people land, and what is written down."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from django import forms
from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.http import HttpRequest
from django.urls import get_script_prefix, reverse

from integrations.encryption import Secret

from . import audit
from .invitations import accept
from .middleware import LAST_ORGANIZATION
from .models import Invitation, User, as_uuid
from .network import client_ip

INVITATION_IN_SESSION = "invitation_id"
_WRITTEN_DOWN = {
    "mfa/email/totp_activated": "user.two_factor_activated",
    "mfa/email/totp_deactivated": "user.two_factor_deactivated",
    "mfa/email/recovery_codes_generated": "user.recovery_codes_generated",
    "account/email/email_changed": "user.email_changed",
    "account/email/email_deleted": "user.email_removed",
}


class AccountAdapter(DefaultAccountAdapter):
    """Sign-up is by invitation, unless the operator opened it."""

    error_messages = DefaultAccountAdapter.error_messages | {
        "account_inactive": "This account was switched off. Ask the operator of this installation.",
        "email_password_mismatch": "Address and password do not belong together: check both, or reset the password.",
        "email_taken": "There is an account with this address: sign in instead.",
        "duplicate_email": "This address is yours already.",
        "enter_current_password": "That is not your present password.",
        "incorrect_password": "That is not your password.",
        "incorrect_code": "That code is wrong, or it is out of date. Enter the newest one.",
        "too_many_login_attempts": "Too many tries that failed. Wait five minutes, then try again.",
        "rate_limited": "That was quick: wait a minute, then try again.",
        "unverified_primary_email": "Confirm this address first: we sent you a letter with a link.",
        "cannot_remove_primary_email": "You sign in with this address: make another one your main address first.",
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return settings.OPEN_SIGNUP or open_invitation(request) is not None

    def clean_email(self, email: str) -> str:
        """Hold a sign-up by invitation to the invited address; the page shows it fixed."""
        request = self.request
        invitation = None if request.user.is_authenticated else open_invitation(request)
        if invitation is not None and email.lower() != invitation.email.lower():
            raise ValidationError(f"The invitation is for {invitation.email}: sign up with that address.")
        return email

    def save_user(self, request: HttpRequest, user: User, form: forms.BaseForm, commit: bool = True) -> User:
        """Save who signed up and, in the same transaction, accept the invitation that brought them."""
        invitation = open_invitation(request)
        if invitation is None and not settings.OPEN_SIGNUP:
            raise PermissionDenied("The invitation was used or taken back while the form was open.")
        with transaction.atomic():
            user = super().save_user(request, user, form, commit)
            if invitation is not None:
                accept(invitation.pk, user=user, ip=client_ip(request))
        if invitation is not None:
            request.session.pop(INVITATION_IN_SESSION, None)
            request.session[LAST_ORGANIZATION] = invitation.organization.slug
        return user

    def set_password(self, user: User, password: str) -> None:
        with transaction.atomic():
            super().set_password(user, password)
            audit.record(None, actor=user, action="user.password_changed", target=user, ip=client_ip(self.request))

    def send_notification_mail(self, template_prefix: str, user: User, *args: Any, **kwargs: Any) -> None:
        """Write the change down: allauth calls this once after each change of address or second factor."""
        if action := _WRITTEN_DOWN.get(template_prefix):
            audit.record(None, actor=user, action=action, target=user, ip=client_ip(self.request))
        super().send_notification_mail(template_prefix, user, *args, **kwargs)

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        return "/"

    def get_signup_redirect_url(self, request: HttpRequest) -> str:
        return "/"

    def get_logout_redirect_url(self, request: HttpRequest) -> str:
        return settings.LOGIN_URL

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return _outside(reverse("account_email"))

    def should_send_confirmation_mail(self, request: HttpRequest, email_address: Any, signup: bool) -> bool:
        """Ask for confirmation when an address is new, not at each sign-in."""
        return signup or request.user.is_authenticated

    # Links in letters are built from our own address: a forged Host header must not reach anybody's inbox.
    def get_reset_password_from_key_url(self, key: str) -> str:
        path = _outside(reverse("account_reset_password_from_key", args=["UID", "KEY"]))
        return settings.PUBLIC_BASE_URL + path.replace("UID-KEY", key)

    def get_email_confirmation_url(self, request: HttpRequest, emailconfirmation: Any) -> str:
        return settings.PUBLIC_BASE_URL + _outside(reverse("account_confirm_email", args=[emailconfirmation.key]))

    def get_client_ip(self, request: HttpRequest) -> str:
        return client_ip(request)


class MfaAdapter(DefaultMFAAdapter):
    """TOTP secrets are encrypted like every other secret."""

    error_messages = DefaultMFAAdapter.error_messages | {
        "incorrect_code": "That code is wrong, or it is out of date. Enter the newest one.",
        "unverified_email": "Confirm your e-mail address first; without it nobody could let you back in.",
        "cannot_generate_recovery_codes": "Recovery codes come with an authenticator app: set that up first.",
        "add_email_blocked": "While two-factor sign-in is on, the address cannot be changed: switch it off first.",
    }

    def encrypt(self, text: str) -> str:
        return Secret.of(text).token

    def decrypt(self, encrypted_text: str) -> str:
        return Secret(encrypted_text).reveal()


def open_invitation(request: HttpRequest) -> Invitation | None:
    """Return the invitation whose link was opened in this session, while it can still be accepted."""
    pk = as_uuid(request.session.get(INVITATION_IN_SESSION))
    invitation = Invitation.objects.select_related("organization").filter(pk=pk).first() if pk else None
    return invitation if invitation is not None and invitation.is_open else None


def remember_invitation(request: HttpRequest, invitation: Invitation | None) -> None:
    """Keep the invitation of an opened link in the session; None forgets an older one.

    The link came in a letter to the address, so whoever signs up with it need not confirm the address again.
    """
    if invitation is None:
        request.session.pop(INVITATION_IN_SESSION, None)
        return
    request.session[INVITATION_IN_SESSION] = str(invitation.pk)
    if invitation.is_open:
        AccountAdapter(request).stash_verified_email(request, invitation.email)


def _outside(path: str) -> str:
    """Return the path without the organization that the request is in: letters are opened by people signed out."""
    return "/" + path.removeprefix(get_script_prefix())
