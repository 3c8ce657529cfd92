"""Forms of the members' pages of setting up: shape only; what a portal may be is said by the verbs."""

from typing import Any

from django import forms

from messaging.templates.segments import LONGEST_TEXT
from portal.forms.forms import WordsForm
from portal.forms.public.languages import Language

from .models import Portal
from .setting_up import LONGEST_NAME, LONGEST_TERMS

_SLUG_HELP = "The end of its link: small letters, digits and hyphens."


class NewPortalForm(forms.Form):
    """A new portal."""

    use_required_attribute = False

    name = forms.CharField(
        label="Name",
        max_length=LONGEST_NAME,
        help_text="It heads every page and stands in every SMS, like “Acme driver portal”.",
        error_messages={"required": "Give the portal a name."},
        widget=forms.TextInput(attrs={"autocomplete": "off", "dir": "auto"}),
    )
    slug = forms.CharField(
        label="Address",
        required=False,
        max_length=50,
        help_text=f"{_SLUG_HELP} Empty: made of the name.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}),
    )


class PortalLookForm(WordsForm):
    """The welcome, languages and colour of a portal."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        welcome = self.fields["description"]
        welcome.label, welcome.help_text = "Welcome", "What people read before they enter their number."
        self.fields[
            "languages"
        ].help_text = (
            "Pages, hints and texts come in the language of each person. Your own words stay as you write them."
        )

    @classmethod
    def of(cls, portal: Portal) -> "PortalLookForm":
        """Return the form as the portal looks."""
        form = portal.form
        languages = form.languages or ["en"]
        return cls(
            initial={
                "description": form.description,
                "languages": languages,
                "written_in": languages[0],
                "color": form.color,
            }
        )


class RulesForm(forms.ModelForm):  # type: ignore[type-arg]
    """Who may come, and how one logs in."""

    use_required_attribute = False

    class Meta:
        model = Portal
        fields = (
            "name",
            "slug",
            "admission",
            "may_apply_again",
            "invitation_days",
            "reminder_days",
            "session_days",
            "offers_password",
            "offers_passkeys",
            "tells_new_logins",
        )
        labels = {
            "name": "Name",
            "slug": "Address",
            "admission": "Who may come",
            "may_apply_again": "Rejected people may apply again",
            "invitation_days": "An invitation holds for, in days",
            "reminder_days": "Remind after, in days",
            "session_days": "People stay logged in for, in days",
            "offers_password": "People may set a password, which is asked for after the code",
            "offers_passkeys": "People may log in by a passkey (fingerprint, face or screen lock)",
            "tells_new_logins": "People get an SMS when somebody logs in from a new device",
        }
        help_texts = {
            "slug": f"{_SLUG_HELP} Links and QR codes with the former address stop working.",
            "invitation_days": "1 to 90. It works once, and for the invited number only.",
            "reminder_days": "An SMS to those who have not come by then. Empty: no reminder.",
            "session_days": "1 to 365, in the browser they logged in with. For the logins that come after.",
            "tells_new_logins": "Each costs an SMS; nobody is told of the first device.",
        }
        widgets = {
            "admission": forms.RadioSelect,
            "name": forms.TextInput(attrs={"autocomplete": "off", "dir": "auto"}),
            "slug": forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, most in (("session_days", 365), ("invitation_days", 90), ("reminder_days", 89)):
            field = forms.IntegerField(
                label=self.fields[name].label,
                help_text=self.fields[name].help_text,
                required=name != "reminder_days",
                min_value=1,
                max_value=most,
                error_messages={"required": f"Write a number from 1 to {most}."},
            )
            self.fields[name] = field

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        reminder, lasts = cleaned.get("reminder_days"), cleaned.get("invitation_days")
        if reminder and lasts and reminder >= lasts:
            self.add_error("reminder_days", f"The invitation ends after {lasts} days: remind earlier, or not at all.")
        return cleaned

    def validate_unique(self) -> None:
        """Leave it to the verb, which says so at the address without a look ahead that another request could beat."""


class DomainForm(forms.Form):
    """A domain of the portal's own."""

    use_required_attribute = False

    domain = forms.CharField(
        label="Domain",
        required=False,
        max_length=300,
        help_text="Like portal.example.com. Empty: none.",
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false", "inputmode": "url"}
        ),
    )


class TextForm(forms.Form):
    """An organization's own words for one SMS."""

    use_required_attribute = False

    body = forms.CharField(
        label="Text",
        required=False,
        max_length=LONGEST_TEXT * 2,  # what is too long for an SMS is said in words, and kept on the page
        widget=forms.Textarea(attrs={"rows": 6, "dir": "auto"}),
    )


class TermsForm(forms.Form):
    """The terms in each language of the portal."""

    use_required_attribute = False

    def __init__(self, *args: Any, languages: list[Language], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for language in languages:
            self.fields[language.code] = forms.CharField(
                label=language.name,
                required=False,
                max_length=LONGEST_TERMS,
                widget=forms.Textarea(attrs={"rows": 10, "dir": language.direction, "lang": language.tag}),
                error_messages={"max_length": f"Terms have at most {LONGEST_TERMS:,} characters. Shorten them."},
            )

    @classmethod
    def of(cls, portal: Portal, languages: list[Language]) -> "TermsForm":
        """Return the form with the terms of now."""
        return cls(initial=portal.terms.texts if portal.terms else {}, languages=languages)
