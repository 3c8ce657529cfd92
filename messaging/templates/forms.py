"""Forms of the room: shape only; what makes a good wording is the verbs' to say."""

from typing import Any

from django import forms
from django.core.validators import ProhibitNullCharactersValidator

from .models import Template
from .rendering import LONGEST_SOURCE
from .wording import WordingProblem


class TemplateForm(forms.Form):
    """Name and wording. `based_on` is the version the wording was written from, 0 for a new template."""

    name = forms.CharField(
        label="Name",
        max_length=80,
        error_messages={"required": "Give the template a name."},
        help_text="For your colleagues; recipients never see it.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    body = forms.CharField(
        label="Text",
        strip=False,
        error_messages={"required": "The text is empty. Write what the message should say."},
        widget=forms.Textarea(attrs={"rows": 7, "dir": "auto", "spellcheck": "true"}),
    )
    based_on = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.existing: Template | None = None
        body = self.fields["body"]
        # A NUL pasted from somewhere is taken out like other control characters, not held against the author.
        body.validators = [known for known in body.validators if not isinstance(known, ProhibitNullCharactersValidator)]

    def clean_body(self) -> str:
        body = self.cleaned_data["body"]
        if len(body) > LONGEST_SOURCE:
            raise forms.ValidationError(f"The text has {len(body):,} characters, far more than an SMS can hold.")
        return body

    def add_problem(self, problem: WordingProblem) -> None:
        """Put a verb's problem at the field it names, or above the form."""
        self.existing = problem.existing
        self.add_error(problem.field if problem.field in self.fields else None, problem.detail)
