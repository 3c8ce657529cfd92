"""Forms of the room."""

from collections.abc import Sequence
from typing import Any

from django import forms

from messaging.contacts.forms import PhoneForm

from .keyword_presets import PRESETS
from .keywords import LONGEST_WORD, bare
from .models import ConsentPolicy, ConsentPurpose, ConsentRecord
from .texts import DEFAULTS

_MOST_WORDS = 50


class OptOutForm(PhoneForm):
    """The number of somebody who asked, in whatever way, not to be written to."""


class RecordForm(forms.Form):
    """What a colleague heard: what for, yes or no, and how they know."""

    purpose = forms.ChoiceField(
        label="What for",
        choices=[
            (ConsentPurpose.MARKETING, "Marketing: news and offers"),
            (ConsentPurpose.TRANSACTIONAL, "Transactional: what they expect, such as an order's news"),
        ],
    )
    action = forms.ChoiceField(
        label="What they said",
        choices=[
            (ConsentRecord.Action.GRANTED, "They agreed"),
            (ConsentRecord.Action.WITHDRAWN, "They took it back"),
        ],
        widget=forms.RadioSelect,
    )
    reason = forms.CharField(
        label="How you know",
        max_length=300,
        help_text="For example: “signed the card at the desk on 3 May”. It stays in the ledger and cannot be changed.",
        error_messages={"required": "Say how you know: it is the proof."},
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class WordsField(forms.CharField):
    """Words, one a line or between commas; kept as a list, each once."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, widget=forms.Textarea(attrs={"rows": 2}), max_length=2000, **kwargs)

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(value) if isinstance(value, list) else value

    def clean(self, value: Any) -> Any:
        raw = super().clean(value)
        words: dict[str, str] = {}
        for word in raw.replace("\n", ",").replace("，", ",").replace("、", ",").split(","):
            if not (plain := bare(word)):
                if word.strip():
                    raise forms.ValidationError(f"“{word.strip()[:40]}” is no word of at most {LONGEST_WORD} letters.")
                continue
            if len(plain) > LONGEST_WORD:
                raise forms.ValidationError(f"“{word.strip()}” is too long; a word has at most {LONGEST_WORD} letters.")
            words.setdefault(plain, " ".join(word.split()))
        if len(words) > _MOST_WORDS:
            raise forms.ValidationError(f"At most {_MOST_WORDS} words.")
        return list(words.values())


class PolicyForm(forms.ModelForm):
    """The organization's rules of consent. Each sender has a question of its own: does Twilio answer for it?"""

    languages = forms.MultipleChoiceField(
        label="Languages whose words count",
        required=False,
        choices=[(code, preset.name) for code, preset in sorted(PRESETS.items(), key=lambda item: item[1].name)],
        widget=forms.CheckboxSelectMultiple,
    )
    extra_stop_words = WordsField(
        label="More words for STOP", help_text="Between commas. The whole message must be one."
    )
    extra_start_words = WordsField(label="More words for START")
    extra_help_words = WordsField(label="More words for HELP")
    confirm_words = WordsField(label="More words for YES")

    class Meta:
        model = ConsentPolicy
        fields = (
            "scope",
            "languages",
            "extra_stop_words",
            "extra_start_words",
            "extra_help_words",
            "stop_text",
            "start_text",
            "help_text",
            "double_opt_in",
            "double_opt_in_text",
            "confirm_words",
            "confirm_within_hours",
            "append_link",
        )
        widgets = {
            "scope": forms.RadioSelect,
            **{
                name: forms.Textarea(attrs={"rows": 2})
                for name in ("stop_text", "start_text", "help_text", "double_opt_in_text")
            },
        }

    def __init__(self, *args: Any, senders: Sequence[str] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.senders = list(senders)
        for name, kind in (
            ("stop_text", "stop"),
            ("start_text", "start"),
            ("help_text", "help"),
            ("double_opt_in_text", "question"),
        ):
            self.fields[name].required = False
            self.fields[name].widget.attrs["placeholder"] = DEFAULTS[kind].format(
                organization=self.instance.organization.name
            )
            self.fields[name].help_text = "Empty: our text, in the language of the contact."
        self.fields["confirm_within_hours"].min_value = 1  # type: ignore[attr-defined]
        for number, sender in enumerate(self.senders):
            self.fields[f"answers_{number}"] = forms.ChoiceField(
                label=sender,
                required=False,
                choices=[("", "Automatic"), ("yes", "Yes, Twilio answers"), ("no", "No, we answer")],
                initial=self.instance.sender_answers.get(sender, ""),
            )

    def clean_confirm_within_hours(self) -> int:
        hours = int(self.cleaned_data["confirm_within_hours"])
        if not 1 <= hours <= 24 * 30:
            raise forms.ValidationError("Between 1 hour and 720 (30 days).")
        return hours

    def answer_fields(self) -> list[forms.BoundField]:
        """Return the questions about single senders."""
        return [self[f"answers_{number}"] for number in range(len(self.senders))]

    def sender_answers(self) -> dict[str, str]:
        """Return what the valid form says about single senders; what is no longer asked stays."""
        asked = {sender: self.cleaned_data.get(f"answers_{n}") or "" for n, sender in enumerate(self.senders)}
        kept = {**self.instance.sender_answers, **asked}
        return {sender: said for sender, said in kept.items() if said}
