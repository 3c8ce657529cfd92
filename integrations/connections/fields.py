"""Form fields for what comes out of Twilio's Console: cleaned of blanks, judged by its looks, secrets never shown."""

from typing import Any

from django import forms

from .pasted import SID_KINDS, clean_pasted, clean_sender, secret_problem, sender_problem, sid_problem

_PLAIN = {"autocomplete": "off", "autocapitalize": "off", "spellcheck": "false"}


class SidField(forms.CharField):
    """An SID of one kind; the page's script judges it by the same prefix while one types."""

    def __init__(self, prefix: str, **kwargs: Any) -> None:
        self.prefix = prefix
        kwargs.setdefault("label", SID_KINDS[prefix])
        super().__init__(strip=False, max_length=300, **kwargs)

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        attrs = {name: value for name, value in super().widget_attrs(widget).items() if name != "maxlength"}
        return {**attrs, **_PLAIN, "data-sid": self.prefix, "placeholder": f"{self.prefix}…", "class": "hg-mono"}

    def to_python(self, value: Any) -> str:
        return clean_pasted(super().to_python(value) or "")

    def validate(self, value: str) -> None:
        super().validate(value)
        if value and (problem := sid_problem(value, self.prefix)):
            raise forms.ValidationError(problem, code="sid")


class SecretTextField(forms.CharField):
    """A secret: typed into a password box, never put back into the page."""

    def __init__(self, kind: str, **kwargs: Any) -> None:
        self.kind = kind
        widget = forms.PasswordInput(render_value=False, attrs={**_PLAIN, "data-secret": kind, "class": "hg-mono"})
        kwargs.setdefault("label", kind)
        super().__init__(strip=False, max_length=300, widget=widget, **kwargs)

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        return {name: value for name, value in super().widget_attrs(widget).items() if name != "maxlength"}

    def to_python(self, value: Any) -> str:
        return clean_pasted(super().to_python(value) or "")

    def validate(self, value: str) -> None:
        super().validate(value)
        if value and (problem := secret_problem(value, self.kind)):
            raise forms.ValidationError(problem, code="secret")


class SenderField(forms.CharField):
    """A From: a number in E.164, a short code, or an alphanumeric sender ID."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("label", "From")
        super().__init__(strip=False, max_length=100, **kwargs)

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        attrs = {name: value for name, value in super().widget_attrs(widget).items() if name != "maxlength"}
        return {**attrs, **_PLAIN, "data-sender": "1", "placeholder": "+14155550123 or MyBrand"}

    def to_python(self, value: Any) -> str:
        return clean_sender(super().to_python(value) or "")

    def validate(self, value: str) -> None:
        super().validate(value)
        if value and (problem := sender_problem(value)):
            raise forms.ValidationError(problem, code="sender")
