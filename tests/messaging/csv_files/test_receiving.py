"""A view that takes a file gets it from the socket into the database; what is forged or refused leaves nothing."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.middleware.csrf import CsrfViewMiddleware, get_token
from django.shortcuts import redirect
from django.test import RequestFactory

from messaging.csv_files.bytes_of import pieces
from messaging.csv_files.forms import UploadForm
from messaging.csv_files.models import Upload, UploadChunk
from messaging.csv_files.receiving import takes_file
from tests.conftest import Cast

pytestmark = pytest.mark.django_db

Send = Callable[..., HttpResponseBase]


@takes_file
def view(request: Any) -> HttpResponse:
    form = UploadForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        return redirect(f"/next/{form.cleaned_data['file'].pk}/")
    return HttpResponse(str(form.errors), status=422 if form.is_bound else 200)


@pytest.fixture
def send(cast: Cast) -> Send:
    def post(*files: SimpleUploadedFile, with_token: bool = True, **fields: Any) -> HttpResponseBase:
        visit = RequestFactory().get("/")
        token = get_token(visit)
        data = {**({"csrfmiddlewaretoken": token} if with_token else {}), **fields, "file": list(files)}
        request: Any = RequestFactory().post("/", data)
        request.COOKIES["heliograph_csrf"] = visit.META["CSRF_COOKIE"]
        request.organization, request.member, request.user = cast.organization, cast.member("owner"), cast.owner
        return through_middleware(request)

    return post


def through_middleware(request: HttpRequest) -> HttpResponseBase:
    """Pass the middleware that looks for forged requests first, as every request does."""
    guard = CsrfViewMiddleware(lambda _: HttpResponse())
    guard.process_request(request)
    refused = guard.process_view(request, view, (), {})
    assert refused is None, "it must not look at the form before the handler is there"
    return view(request)


def test_file_is_stored_and_the_form_gives_it(send: Send) -> None:
    answer = send(SimpleUploadedFile("people.csv", b"a,b\r\n" * 200_000))
    upload = Upload.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, f"/next/{upload.pk}/")
    assert (upload.name, upload.size) == ("people.csv", 1_000_000)
    assert b"".join(pieces(upload)) == b"a,b\r\n" * 200_000


def test_forged_request_is_refused_and_its_file_forgotten(send: Send) -> None:
    assert send(SimpleUploadedFile("people.csv", b"a,b"), with_token=False).status_code == 403
    assert not Upload.objects.exists()
    assert not UploadChunk.objects.exists()


def test_refused_form_keeps_no_file(send: Send, settings: Any) -> None:
    settings.UPLOAD_LIMIT = 1_000_000
    too_large = send(SimpleUploadedFile("big.csv", b"x" * 1_200_000))
    assert too_large.status_code == 422
    assert b"larger than 1 MB" in too_large.content  # type: ignore[attr-defined]
    boundless = send(SimpleUploadedFile("big.csv", b"x" * 4_000_000))
    assert boundless.status_code == 422
    empty = send(SimpleUploadedFile("empty.csv", b""))
    assert b"empty" in empty.content  # type: ignore[attr-defined]
    none = send(note="nothing chosen")
    assert b"Choose a file first" in none.content  # type: ignore[attr-defined]
    assert not Upload.objects.exists()


def test_only_the_first_of_several_files_is_taken(send: Send) -> None:
    send(SimpleUploadedFile("one.csv", b"one"), SimpleUploadedFile("two.csv", b"two"))
    assert Upload.objects.get().size == 3
    assert UploadChunk.objects.count() == 1


def test_file_of_a_view_that_fails_is_forgotten(cast: Cast) -> None:
    @takes_file
    def failing(request: Any) -> HttpResponse:
        assert request.FILES
        raise LookupError

    request: Any = RequestFactory().post("/", {"file": SimpleUploadedFile("a.csv", b"a")})
    request.organization, request.user, request._dont_enforce_csrf_checks = cast.organization, cast.owner, True
    with pytest.raises(LookupError):
        failing(request)
    assert not Upload.objects.exists()
