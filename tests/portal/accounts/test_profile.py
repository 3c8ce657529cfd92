"""The profile: what a person may change, and what follows from it."""

from typing import Any

import pytest
from django.http import QueryDict

from integrations.organizations.models import AuditEntry
from portal.accounts.models import Portal, PortalUser
from portal.accounts.profile import ProfileRefused, change_profile, profile_of
from portal.forms.answers import Reading, SentFile, read_answers
from portal.forms.building import publish
from portal.forms.definition import read
from portal.forms.models import Submission
from tests.conftest import Cast
from tests.portal.forms.samples import PNG

from .insiders import PHONE, person_of

pytestmark = pytest.mark.django_db
QUESTIONS: list[dict[str, Any]] = [
    {"key": "f1", "kind": "short_text", "label": "Name", "required": True, "saves_as": "name"},
    {"key": "f2", "kind": "email", "label": "E-mail", "saves_as": "email"},
    {"key": "f3", "kind": "file", "label": "Licence", "accept": ["png"], "max": 1},
    {"key": "f4", "kind": "consent", "label": "Rules", "wording": "I keep to the rules.", "purpose": "transactional"},
]


def ask(portal: Portal, cast: Cast, questions: list[dict[str, Any]]) -> None:
    portal.form.definition = read(questions, knows_number=True).as_json()
    portal.form.save()
    publish(portal.form, actor=cast.owner)


def entered(user: PortalUser, files: dict[str, SentFile] | None = None, **given: str) -> Reading:
    data = QueryDict(mutable=True)
    data.update(given)
    profile = profile_of(user)
    return read_answers(profile.questions, data, files, region="DE", kept_files=profile.answers)


@pytest.fixture
def user(portal: Portal, cast: Cast) -> PortalUser:
    """Ada, who answered everything when she registered."""
    ask(portal, cast, QUESTIONS)
    portal.form.refresh_from_db()
    assert portal.form.current is not None
    sent = Submission.objects.create(
        form=portal.form, version=portal.form.current, phone=PHONE,
        answers={"f1": "Ada", "f2": "ada@example.com", "f4": True},
    )  # fmt: skip
    return person_of(portal, submission=sent)


def test_consents_are_no_part_of_it(user: PortalUser) -> None:
    profile = profile_of(user)
    assert [one.key for one in profile.questions.fields] == ["f1", "f2", "f3"]
    assert profile.answers == {"f1": "Ada", "f2": "ada@example.com"}
    assert profile.named_by == "f1"


def test_answers_name_language_and_contact_change(user: PortalUser) -> None:
    changed = change_profile(user, reading=entered(user, f1="Ada King", f2="king@example.com"), name="", language="de")
    assert changed == ["f1", "f2", "name", "language"]
    user.refresh_from_db()
    assert (user.name, user.language) == ("Ada King", "de")
    assert user.submission is not None
    assert user.submission.answers == {"f1": "Ada King", "f2": "king@example.com", "f4": True}
    assert "king@example.com" in user.submission.search_text
    assert user.contact is not None
    assert (user.contact.name, user.contact.email) == ("Ada King", "king@example.com")
    entry = AuditEntry.objects.get(action="portal_user.profile_changed")
    assert (entry.actor_label, entry.object_label) == ("Portal user", "Ada King")
    assert "king@" not in str(entry.changes)


def test_the_same_again_changes_nothing(user: PortalUser) -> None:
    assert change_profile(user, reading=entered(user, f1="Ada", f2="ada@example.com"), name="", language="en") == []
    assert not AuditEntry.objects.filter(action="portal_user.profile_changed").exists()


def test_a_file_is_replaced_and_stays_otherwise(user: PortalUser) -> None:
    sent = {"f3": SentFile("licence.png", PNG)}
    change_profile(user, reading=entered(user, sent, f1="Ada"), name="", language="en")
    assert user.submission is not None
    assert user.submission.files.get().name == "licence.png"
    change_profile(user, reading=entered(user, f1="Ada L"), name="", language="en")
    assert user.submission.files.get().name == "licence.png"
    sent = {"f3": SentFile("b.png", PNG + b"b")}
    change_profile(user, reading=entered(user, sent, f1="Ada L"), name="", language="en")
    assert user.submission.files.get().name == "b.png"


def test_the_version_of_now_counts(user: PortalUser, portal: Portal, cast: Cast) -> None:
    ask(portal, cast, [*QUESTIONS[:1], {"key": "f5", "kind": "choice", "label": "Size", "options": ["S", "M"]}])
    user = PortalUser.objects.get(pk=user.pk)
    reading = entered(user, f1="Ada", f2="forged@example.com", f5="XL")
    assert set(reading.problems) == {"f5"}
    change_profile(user, reading=entered(user, f1="Ada", f5="M"), name="", language="en")
    assert user.submission is not None
    assert user.submission.answers == {"f1": "Ada", "f5": "M"}
    assert user.submission.version == portal.form.current


def test_who_answered_nothing_yet_gets_a_submission_without_a_proof(portal: Portal) -> None:
    user = person_of(portal)
    change_profile(user, reading=entered(user, f1="Grace"), name="", language="en")
    assert user.submission is not None
    assert (user.submission.answers, user.submission.phone) == ({"f1": "Grace"}, PHONE)
    assert user.submission.verified_at is None


def test_who_was_suspended_meanwhile_changes_nothing(user: PortalUser) -> None:
    reading = entered(user, f1="Eve")
    PortalUser.objects.update(status="suspended")
    with pytest.raises(ProfileRefused):
        change_profile(user, reading=reading, name="", language="en")
    user.refresh_from_db()
    assert user.name == "Ada"
