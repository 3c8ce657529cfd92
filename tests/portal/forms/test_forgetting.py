"""Submissions are kept until an organization says for how many days."""

from datetime import timedelta

import pytest
from django.utils import timezone

from messaging.retention.kept import forget_due
from messaging.retention.models import RetentionPolicy
from portal.forms.models import ExportPiece, FormDraft, PublicForm, Submission, SubmissionExport, SubmissionFile
from tests.conftest import Cast

pytestmark = pytest.mark.django_db


def sent(form: PublicForm, *, days: int) -> Submission:
    assert form.current is not None
    at = timezone.now() - timedelta(days=days)
    return Submission.objects.create(form=form, version=form.current, answers={"f1": "Ada"}, created_at=at)


def test_old_ones_go_with_their_files_and_every_table_that_may_hold_them(plain: PublicForm, cast: Cast) -> None:
    gone, young = sent(plain, days=40), sent(plain, days=10)
    SubmissionFile.objects.create(submission=gone, key="f8", name="cat.png", kind="png", size=1, content=b"x")
    assert plain.current is not None
    later = timezone.now() + timedelta(hours=1)
    FormDraft.objects.create(form=plain, version=plain.current, secret_hash="0" * 64, submission=gone, expires_at=later)
    export = SubmissionExport.objects.create(form=plain, created_by=cast.owner)
    ExportPiece.objects.create(export=export, number=0, data=b"Ada")
    assert forget_due() == 0
    RetentionPolicy.objects.create(organization=cast.organization, submission_days=30)
    assert forget_due() == 1
    assert forget_due() == 0
    assert list(Submission.objects.all()) == [young]
    assert not SubmissionFile.objects.exists() and not FormDraft.objects.exists()
    assert not SubmissionExport.objects.exists() and not ExportPiece.objects.exists()


def test_another_organizations_stay(plain: PublicForm, cast: Cast) -> None:
    sent(plain, days=40)
    RetentionPolicy.objects.create(organization=cast.other, submission_days=1)
    assert forget_due() == 0


def test_profiles_of_portal_users_stay(plain: PublicForm, cast: Cast) -> None:
    sent(plain, days=40)
    PublicForm.objects.filter(pk=plain.pk).update(serves="portal")
    RetentionPolicy.objects.create(organization=cast.organization, submission_days=1)
    assert forget_due() == 0


def test_the_page_asks_before(plain: PublicForm, cast: Cast) -> None:
    for _ in range(2):
        sent(plain, days=40)
    client, url = cast.client("owner"), cast.url("settings/retention/")
    assert "Remove 2 submissions</button>" in client.post(url, {"submission_days": "7"}).content.decode()
    client.post(url, {"submission_days": "7", "confirmed": "1"})
    assert RetentionPolicy.objects.get().submission_days == 7
    assert cast.client("stranger").post(url, {"submission_days": "1"}).status_code == 404
    assert cast.client("agent").post(url, {"submission_days": "1"}).status_code == 403
