"""Files are kept in pieces, within a limit, for some days, for one organization."""

import hashlib
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from messaging.csv_files.bytes_of import UploadBytes, pieces
from messaging.csv_files.models import Upload, UploadChunk
from messaging.csv_files.problems import FileProblem
from messaging.csv_files.storing import CHUNK, UploadWriter, find_upload, forget_old_uploads, store_upload
from tests.conftest import Cast

pytestmark = pytest.mark.django_db

CONTENT = bytes(range(256)) * 3_000  # almost three pieces


def test_file_comes_back_as_it_went_in_and_from_any_byte(cast: Cast) -> None:
    ragged = [CONTENT[:7], CONTENT[7 : CHUNK + 9], CONTENT[CHUNK + 9 :]]
    upload = store_upload(cast.organization, file=ragged, name="a.csv", actor=cast.owner)
    assert (upload.size, upload.sha256) == (len(CONTENT), hashlib.sha256(CONTENT).hexdigest())
    assert upload.finished_at is not None
    assert b"".join(pieces(upload)) == CONTENT
    assert [len(piece) for piece in pieces(upload)] == [CHUNK, CHUNK, len(CONTENT) - 2 * CHUNK]
    for offset in (0, 5, CHUNK - 1, CHUNK, len(CONTENT) - 1, len(CONTENT)):
        assert UploadBytes(upload, offset=offset).read() == CONTENT[offset:]


def test_empty_file_is_refused(cast: Cast) -> None:
    for nothing in ([], [b""]):
        with pytest.raises(FileProblem) as refused:
            store_upload(cast.organization, file=nothing, name="a.csv", actor=cast.owner)
        assert refused.value.code == "empty"
    assert not UploadChunk.objects.exists()


def test_file_over_the_limit_is_refused_and_leaves_nothing(cast: Cast, settings: Any) -> None:
    settings.UPLOAD_LIMIT = 1_000_000
    writer = UploadWriter(cast.organization, name="big.csv", actor=cast.owner)
    writer.write(b"x" * 1_000_000)
    with pytest.raises(FileProblem, match="larger than 1 MB"):
        writer.write(b"y")
    assert not Upload.objects.exists()
    assert not UploadChunk.objects.exists()


def test_what_an_organization_may_keep_is_bounded(cast: Cast, settings: Any) -> None:
    settings.UPLOAD_LIMIT = 1_000
    Upload.objects.create(organization=cast.organization, name="old.csv", size=20_001)
    with pytest.raises(FileProblem) as refused:
        store_upload(cast.organization, file=[b"a"], name="a.csv", actor=cast.owner)
    assert refused.value.code == "too_many"
    assert store_upload(cast.other, file=[b"a"], name="a.csv", actor=cast.stranger)


def test_name_is_one_that_can_be_shown(cast: Cast) -> None:
    upload = store_upload(cast.organization, file=[b"a"], name="\u202egpj.\x00evil\n.csv", actor=None)
    assert upload.name == "gpj.evil.csv"
    assert store_upload(cast.organization, file=[b"a"], name="\x00", actor=None).name == "file.csv"


def test_stranger_and_unfinished_files_are_not_found(cast: Cast) -> None:
    upload = store_upload(cast.organization, file=[b"a"], name="a.csv", actor=cast.owner)
    assert find_upload(cast.organization, upload.pk) == upload
    assert find_upload(cast.organization, str(upload.pk)) == upload
    assert find_upload(cast.other, upload.pk) is None
    assert find_upload(cast.organization, "nonsense") is None
    Upload.objects.update(finished_at=None)
    assert find_upload(cast.organization, upload.pk) is None


def test_old_and_abandoned_files_are_forgotten(cast: Cast, settings: Any) -> None:
    settings.UPLOAD_DAYS = 7
    now = timezone.now()
    fresh, old = (store_upload(cast.organization, file=[b"a"], name="a.csv", actor=None) for _ in range(2))
    Upload.objects.filter(pk=old.pk).update(created_at=now - timedelta(days=8))
    arriving = Upload.objects.create(organization=cast.organization, name="now.csv")
    Upload.objects.create(organization=cast.organization, name="lost.csv", created_at=now - timedelta(hours=2))
    assert forget_old_uploads() == 2
    assert set(Upload.objects.all()) == {fresh, arriving}
    assert UploadChunk.objects.count() == 1
    assert forget_old_uploads() == 0
    with pytest.raises(FileProblem, match="Upload it again"):
        list(pieces(old))
