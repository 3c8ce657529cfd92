"""Forms to send, verified numbers, and what a visitor enters."""

from typing import Any

import pytest
from django.http import QueryDict

from portal.forms.answers import SentFile, read_answers
from portal.forms.building import create_form, publish
from portal.forms.definition import parse, read
from portal.forms.drafting import keep_draft, new_secret
from portal.forms.models import FormDraft, PublicForm
from tests.conftest import Cast
from tests.portal.forms.samples import QUESTIONS

PHONE = "+4915112345678"


@pytest.fixture
def form(cast: Cast) -> PublicForm:
    """A draft with a name and a number."""
    return create_form(cast.organization, title="Delivery slots", actor=cast.owner)


def publish_questions(form: PublicForm, cast: Cast, questions: list[dict[str, Any]]) -> PublicForm:
    """Publish these questions by the form, whatever was built of it."""
    form.definition = read(questions).as_json()
    form.next_key = 100
    form.save()
    form.steps.filter(number=form.step).update(definition=form.definition)
    publish(form, actor=cast.owner)
    return form


@pytest.fixture
def published(form: PublicForm, cast: Cast) -> PublicForm:
    """A form with a question of each kind, that asks for proof of the number."""
    return publish_questions(form, cast, QUESTIONS)


@pytest.fixture
def plain(cast: Cast) -> PublicForm:
    """A form that asks for a number and for no proof of it."""
    form = create_form(cast.organization, title="Callback", actor=cast.owner)
    questions = [
        {"key": "f1", "kind": "short_text", "label": "Name", "required": True, "saves_as": "name"},
        {"key": "f2", "kind": "phone", "label": "Phone"},
        {"key": "f3", "kind": "choice", "label": "When", "options": ["Morning", "Evening"]},
    ]
    return publish_questions(form, cast, questions)


def enter(form: PublicForm, *, secret: str = "", files: dict[str, SentFile] | None = None, **given: Any) -> FormDraft:
    """Keep what a visitor enters; the name and the number are there unless said otherwise."""
    data = QueryDict(mutable=True)
    for name, value in {"f1": "Ada", "f2": PHONE, **given}.items():
        data.setlist(name, value if isinstance(value, list) else [value])
    assert form.current is not None
    reading = read_answers(parse(form.current.definition), data, files, region="DE")
    assert reading.is_good, reading.problems
    return keep_draft(form, secret=secret or new_secret(), reading=reading, language="de", ip="203.0.113.9")
