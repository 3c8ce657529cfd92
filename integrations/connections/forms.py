"""The forms of the connection pages. They judge looks; what Twilio says about the values comes back as field errors."""

import uuid
from typing import Any, ClassVar

from django import forms

from integrations.organizations.models import Organization, User

from . import carried
from .check import Step
from .fields import SecretTextField, SenderField, SidField
from .models import Connection

_WHY_SIGNING = (
    "Twilio signs what it reports to us with the account's Auth Token, never with an API Key. With the token we can "
    "prove that a report is Twilio's; without it, callback addresses carry a signature of ours instead."
)

_PREFILLED = ("name", "make_default")


class CheckedForm(forms.Form):
    """A form whose values Twilio is asked about: takes over the problems of the report, carries secrets over them."""

    use_required_attribute = False

    carried_secrets = forms.CharField(required=False, widget=forms.HiddenInput)
    secret_names: tuple[str, ...] = ()
    purpose: ClassVar[str] = "connect"

    def __init__(self, *args: Any, organization: Organization, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.organization, self.user = organization, user
        self._carried: dict[str, str] = {}
        if self.is_bound:
            sealed = self.data.get(self.add_prefix("carried_secrets"), "")
            self._carried = carried.unseal(sealed, organization=organization, user=user, purpose=self.purpose)
        for name in self.secret_names:
            if self._carried.get(name) and name in self.fields:
                self.fields[name].required = False

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        for name in self.secret_names:
            if not cleaned.get(name) and name not in self.errors:
                cleaned[name] = self._carried.get(name, "")
        return cleaned

    def take(self, problems: list[Step]) -> None:
        """Put each problem that a check found at the field it concerns; others stand above the form."""
        for step in problems:
            self.add_error(step.field if step.field in self.fields else None, f"{step.text} {step.remedy}".strip())

    def keep_secrets(self) -> None:
        """Carry good secrets to the next try; one at which a problem stands must be entered again."""
        cleaned = getattr(self, "cleaned_data", {})
        good = {name: cleaned.get(name) or self._carried.get(name, "") for name in self.secret_names}
        good = {name: value for name, value in good.items() if value and name not in self.errors}
        for name in self.secret_names:
            # Kept or not, it is needed: the label must not call it optional.
            self.fields[name].required = self.base_fields[name].required
        sealed = carried.seal(good, organization=self.organization, user=self.user, purpose=self.purpose)
        self.data = {**self.data.dict(), self.add_prefix("carried_secrets"): sealed}  # type: ignore[attr-defined]
        for name in self.secret_names:
            widget = self.fields[name].widget
            widget.attrs.pop("placeholder", None)
            if name in good:
                widget.attrs["placeholder"] = "Kept from your last try; type to replace it"


class ConnectForm(CheckedForm):
    """What both ways of connecting ask for besides their credentials."""

    auth: ClassVar[str]
    instead: ClassVar[dict[str, str]]  # a required field, and the one that may be filled in its place
    main: ClassVar[tuple[str, ...]]
    more: ClassVar[tuple[str, ...]]

    request_id = forms.UUIDField(required=False, widget=forms.HiddenInput)
    name = forms.CharField(max_length=80, label="Name", help_text="How members see it, for example by department.")
    mps = forms.DecimalField(
        required=False,
        min_value=0.01,
        max_value=10000,
        max_digits=7,
        decimal_places=2,
        label="Messages per second",
        help_text="Only if Twilio or a carrier allows you less than we would send. Empty: no limit of ours.",
    )
    make_default = forms.BooleanField(
        required=False, label="Use it wherever no other connection is chosen", help_text="The default connection."
    )

    def __init__(self, *args: Any, default: Connection | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, other in self.instead.items():
            if self.data.get(other):
                self.fields[name].required = False
        self.fields["request_id"].initial = uuid.uuid4
        self.fields["name"].initial = "Twilio"
        self.fields["make_default"].initial = default is None or default.mode != Connection.Mode.LIVE

    @property
    def main_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in self.main]

    @property
    def more_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in self.more]

    @property
    def more_is_open(self) -> bool:
        """An error must not hide in a folded part; nor what was entered there already."""
        return any(name in self.errors or (self.data.get(name) and name not in _PREFILLED) for name in self.more)

    def values(self) -> dict[str, Any]:
        """Return the cleaned values that are fields of a connection."""
        leave_out = {"request_id", "make_default", "carried_secrets"}
        return {name: value for name, value in self.cleaned_data.items() if name not in leave_out}

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        _one_way_to_send(self, cleaned)
        return cleaned


class ApiKeyForm(ConnectForm):
    """The four fields, and what may stand beside them."""

    auth = Connection.Auth.API_KEY
    instead = {"messaging_service_sid": "sender"}
    secret_names = ("api_key_secret", "signing_token")

    api_key_sid = SidField("SK", help_text="Console: Account, API keys & tokens, Create API key, type Standard.")
    api_key_secret = SecretTextField(
        "API Key Secret", help_text="Twilio shows it once, when the key is made. We never show it."
    )
    verify_service_sid = SidField(
        "VA",
        required=False,
        help_text="Console: Verify, Services. For verification codes; without it codes are our own.",
    )
    messaging_service_sid = SidField(
        "MG",
        help_text="Console: Messaging, Services. For all other SMS.",
        error_messages={"required": "Enter the Messaging Service SID, or a From under More: messages need a sender."},
    )
    sender = SenderField(required=False, help_text="Instead of a Messaging Service: a number of yours, or a sender ID.")
    account_sid = SidField("AC", required=False, help_text="Found through the services; type it only where that fails.")
    signing_token = SecretTextField(
        "Auth Token", required=False, label="Auth Token, for signature checks", help_text=_WHY_SIGNING
    )
    main: ClassVar[tuple[str, ...]] = ("api_key_sid", "api_key_secret", "verify_service_sid", "messaging_service_sid")
    more: ClassVar[tuple[str, ...]] = ("signing_token", "account_sid", "sender", "name", "mps", "make_default")


class AuthTokenForm(ConnectForm):
    """Account SID and Auth Token: quick, and less safe."""

    auth = Connection.Auth.AUTH_TOKEN
    instead = {"sender": "messaging_service_sid"}
    secret_names = ("auth_token",)

    account_sid = SidField("AC", help_text="On the first page of Twilio's Console.")
    auth_token = SecretTextField("Auth Token", help_text="Beside the Account SID. We never show it.")
    sender = SenderField(
        help_text="A number of yours with + and country code, or a sender ID of at most 11 characters (no replies).",
        error_messages={"required": "Enter a From, or a Messaging Service SID instead: messages need a sender."},
    )
    messaging_service_sid = SidField(
        "MG", required=False, help_text="Instead of From: Twilio then picks the sender for each country."
    )
    verify_service_sid = SidField(
        "VA", required=False, help_text="For verification codes; without it codes are our own."
    )
    main: ClassVar[tuple[str, ...]] = ("account_sid", "auth_token", "sender", "messaging_service_sid")
    more: ClassVar[tuple[str, ...]] = ("verify_service_sid", "name", "mps", "make_default")


class SendersForm(CheckedForm):
    """Everything of a connection but its secrets."""

    purpose = "senders"

    name = forms.CharField(max_length=80, label="Name")
    messaging_service_sid = SidField("MG", required=False)
    sender = SenderField(required=False, help_text="Used where there is no Messaging Service.")
    verify_service_sid = SidField(
        "VA", required=False, help_text="For verification codes; without it codes are our own."
    )
    mps = forms.DecimalField(
        required=False,
        min_value=0.01,
        max_value=10000,
        max_digits=7,
        decimal_places=2,
        label="Messages per second",
        help_text="Empty: no limit of ours.",
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        _one_way_to_send(self, cleaned)
        return cleaned

    def values(self) -> dict[str, Any]:
        """Return the cleaned values that are fields of a connection."""
        return {name: value for name, value in self.cleaned_data.items() if name != "carried_secrets"}


class RotateKeyForm(CheckedForm):
    """A new API Key in the place of the old one."""

    purpose = "rotate"
    secret_names = ("api_key_secret",)

    api_key_sid = SidField(
        "SK", label="New API Key SID", help_text="Make a second Standard key first; both work at once."
    )
    api_key_secret = SecretTextField("API Key Secret", label="New API Key Secret")


class RotateTokenForm(CheckedForm):
    """A new Auth Token in the place of the old one."""

    purpose = "rotate"
    secret_names: tuple[str, ...] = ("auth_token",)

    auth_token = SecretTextField(
        "Auth Token",
        label="New Auth Token",
        help_text="Console: Account, API keys & tokens, Auth Tokens, Create secondary token. Promote it after this.",
    )
    keep_old_for_webhooks = forms.BooleanField(
        required=False,
        initial=True,
        label="Go on accepting webhooks signed with the old token",
        help_text="Twilio signs with the old one until you promote the new one. Remove the old one here afterwards.",
    )


class SigningTokensForm(CheckedForm):
    """The Auth Tokens with which Twilio may sign webhooks: the present one, and the next during a rotation."""

    purpose = "signing"
    secret_names: tuple[str, ...] = ("signing_token", "signing_token_secondary")

    signing_token = SecretTextField("Auth Token", required=False, label="Primary Auth Token", help_text=_WHY_SIGNING)
    drop_signing_token = forms.BooleanField(required=False, label="Remove the primary token stored here")
    signing_token_secondary = SecretTextField(
        "Auth Token",
        required=False,
        label="Secondary Auth Token",
        help_text="Enter the new token here before you promote it at Twilio: both are then accepted.",
    )
    drop_signing_token_secondary = forms.BooleanField(required=False, label="Remove the secondary token stored here")

    def __init__(self, *args: Any, connection: Connection, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if connection.auth == Connection.Auth.AUTH_TOKEN:
            # The connection's own token is the primary one.
            del self.fields["signing_token"], self.fields["drop_signing_token"]
            self.secret_names = ("signing_token_secondary",)
        elif not connection.signing_token:
            del self.fields["drop_signing_token"]
        for name in self.secret_names:
            if getattr(connection, name):
                self.fields[name].widget.attrs.setdefault("placeholder", "A token is stored; type to replace it")
        if not connection.signing_token_secondary:
            del self.fields["drop_signing_token_secondary"]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        for name in ("signing_token", "signing_token_secondary"):
            if cleaned.get(name) and cleaned.get(f"drop_{name}"):
                self.add_error(name, "Either enter a new token or remove the stored one.")
        if not self.errors and not any(value for name, value in cleaned.items() if name != "carried_secrets"):
            self.add_error(None, "Enter a token, or choose one to remove.")
        return cleaned


def _one_way_to_send(form: forms.Form, cleaned: dict[str, Any]) -> None:
    """Ask for exactly one of Messaging Service and From; say nothing more where one of them is wrong already."""
    if "messaging_service_sid" in form.errors or "sender" in form.errors:
        return
    has_service, has_sender = bool(cleaned.get("messaging_service_sid")), bool(cleaned.get("sender"))
    if has_service and has_sender:
        form.add_error("sender", "Messages go out either through the Messaging Service or from this: leave one empty.")
    elif not has_service and not has_sender:
        form.add_error("messaging_service_sid", "Enter a Messaging Service SID or a From: messages need a sender.")
