"""How allauth behaves here: who may sign up, and where people land."""

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from django.conf import settings
from django.http import HttpRequest

from integrations.encryption import Secret

INVITATION_IN_SESSION = "invitation_id"


class AccountAdapter(DefaultAccountAdapter):
    """Sign-up is by invitation, unless the operator opened it."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return settings.OPEN_SIGNUP or INVITATION_IN_SESSION in request.session

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        return "/"

    def get_signup_redirect_url(self, request: HttpRequest) -> str:
        return "/"


class MfaAdapter(DefaultMFAAdapter):
    """TOTP secrets are encrypted like every other secret."""

    def encrypt(self, text: str) -> str:
        return Secret.of(text).token

    def decrypt(self, encrypted_text: str) -> str:
        return Secret(encrypted_text).reveal()
