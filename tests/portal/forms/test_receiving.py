"""Receiving files: in memory, bounded, and only where a page asks for them."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import RequestFactory

from portal.forms.answers import SentFile
from portal.forms.definition import MOST_FILES
from portal.forms.receiving import LARGEST, KeepSmallFiles, sent_files


def received(**files: bytes) -> dict[str, SentFile]:
    data: dict[str, Any] = {name: SimpleUploadedFile(f"{name}.png", content) for name, content in files.items()}
    request = RequestFactory().post("/", data)
    request.upload_handlers = [KeepSmallFiles(request)]
    return sent_files(request)


def test_files_are_kept_by_the_names_of_their_fields() -> None:
    assert received(f1=b"one", f2=b"two") == {"f1": SentFile("f1.png", b"one"), "f2": SentFile("f2.png", b"two")}


def test_of_a_file_that_is_too_large_nothing_is_kept_but_that() -> None:
    found = received(f1=b"x" * (LARGEST + 1), f2=b"y" * LARGEST)
    assert found["f1"] == SentFile("f1.png", None)
    assert found["f2"].content is not None


def test_no_more_files_are_kept_than_a_form_can_ask_for() -> None:
    found = received(**{f"f{number}": b"x" for number in range(1, MOST_FILES + 3)})
    assert sorted(found) == [f"f{number}" for number in range(1, MOST_FILES + 1)]


def test_body_without_end_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("portal.forms.receiving._MOST_READ", 100_000)
    assert received(f1=b"x" * 1_000_000) == {}
