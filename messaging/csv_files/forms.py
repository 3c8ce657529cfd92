"""Forms of every page that takes a file: the file itself, and which column holds what."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.conf import settings
from django.forms.boundfield import BoundField

from .columns import FieldSpec
from .encodings import ENCODINGS
from .inspection import DELIMITERS, Inspection
from .models import Upload
from .receiving import ReceivedFile
from .storing import limit_in_words

_SAMPLES = 3  # values shown beside a column


class UploadField(forms.FileField):
    """The file of a view decorated with `takes_file`; cleaned, it is an Upload."""

    widget = forms.FileInput

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("label", "File")
        kwargs.setdefault(
            "help_text",
            f"CSV, at most {limit_in_words()}. Commas, semicolons or tabs, Excel’s own Unicode and Chinese files: "
            "how it is written is found out.",
        )
        super().__init__(**kwargs)
        self.widget.attrs.update(
            {"accept": ".csv,.txt,.tsv,text/csv,text/plain", "data-most-bytes": str(settings.UPLOAD_LIMIT)}
        )

    def clean(self, data: Any, initial: Any = None) -> Upload:
        if not isinstance(data, ReceivedFile) or (data.upload is None and data.problem is None):
            raise forms.ValidationError("Choose a file first.", code="required")
        if data.upload is None:
            raise forms.ValidationError(data.problem.detail, code=data.problem.code)  # type: ignore[union-attr]
        return data.upload


class UploadForm(forms.Form):
    """One file."""

    file = UploadField()


class ReadingForm(forms.Form):
    """How the file shall be read, where the guess is wrong."""

    encoding = forms.ChoiceField(label="Letters", required=False, choices=[*ENCODINGS.items()])
    delimiter = forms.ChoiceField(label="Between cells", required=False, choices=[*DELIMITERS.items()])
    has_header = forms.BooleanField(label="The first row names the columns", required=False)

    @classmethod
    def of(cls, inspection: Inspection) -> "ReadingForm":
        """Return the form as the file is read now."""
        return cls(
            initial={
                "encoding": inspection.encoding,
                "delimiter": inspection.delimiter,
                "has_header": inspection.has_header,
            }
        )

    def choice(self) -> dict[str, Any]:
        """Return what `inspect` takes; call it on a form that was sent."""
        self.is_valid()
        cleaned = self.cleaned_data
        return {
            "encoding": cleaned.get("encoding", ""),
            "delimiter": cleaned.get("delimiter", ""),
            "has_header": cleaned.get("has_header", True),
        }


class _ColumnSelect(forms.Select):
    """A select whose options tell the page's script what stands in their column."""

    samples: Sequence[str] = ()

    def create_option(self, name: str, value: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        option = super().create_option(name, value, *args, **kwargs)
        option["attrs"]["data-sample"] = self.samples[int(value)] if str(value).isdecimal() else ""
        return option


@dataclass(frozen=True)
class MappedField:
    """One line of the form: the select, and what stands in the column that is chosen now."""

    field: BoundField
    sample: str
    is_needed: bool


class MappingForm(forms.Form):
    """A select for each field that a page wants from the file; the guess is chosen already."""

    def __init__(self, *args: Any, inspection: Inspection, fields: Sequence[FieldSpec], **kwargs: Any) -> None:
        kwargs.setdefault("initial", {f"column_{key}": str(column) for key, column in inspection.guess.items()})
        super().__init__(*args, **kwargs)
        self.specs = fields
        self.samples = [_sample(inspection, column) for column in range(len(inspection.header))]
        columns = [(str(number), name) for number, name in enumerate(inspection.header)]
        for spec in fields:
            widget = _ColumnSelect(attrs={"data-column": ""})
            widget.samples = self.samples
            self.fields[f"column_{spec.key}"] = forms.ChoiceField(
                label=spec.label,
                required=spec.is_required,
                help_text=spec.help,
                widget=widget,
                choices=[("", "Choose a column" if spec.is_required else "Not in this file"), *columns],
                error_messages={"required": f"Choose the column with the {spec.label.lower()}."},
            )

    def mapping(self) -> dict[str, int]:
        """Return the column of each field that the valid form gives one."""
        chosen = {spec.key: self.cleaned_data.get(f"column_{spec.key}") for spec in self.specs}
        return {key: int(column) for key, column in chosen.items() if column}

    def lines(self) -> Iterator[MappedField]:
        """Yield what the component shows."""
        for spec in self.specs:
            bound = self[f"column_{spec.key}"]
            value = str(bound.value() or "")
            known = value.isdecimal() and int(value) < len(self.samples)
            yield MappedField(bound, self.samples[int(value)] if known else "", spec.is_required)


def _sample(inspection: Inspection, column: int) -> str:
    values = [row[column].strip() for row in inspection.sample_rows if column < len(row) and row[column].strip()]
    return " · ".join(value[:40] for value in values[:_SAMPLES])
