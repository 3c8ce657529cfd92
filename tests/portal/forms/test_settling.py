"""What surrounds a form: sites that may frame it, pictures, the QR code, the snippet."""

import pytest

from integrations.organizations.models import AuditEntry
from portal.forms.answers import SentFile
from portal.forms.models import FormPicture, PublicForm
from portal.forms.pictures import PictureProblem, picture_response, remove_picture, set_picture
from portal.forms.settling import OriginProblem, change_form, read_origins
from tests.conftest import Cast
from tests.portal.forms.samples import HTML, JPEG, PDF, PNG, SVG


def test_sites_are_kept_as_browsers_name_them() -> None:
    text = "https://www.Example.com/page?x=1\nexample.org, https://example.org:443\nhttps://bücher.example:8443\nhttp://localhost:3000"
    assert read_origins(text) == [
        "https://www.example.com",
        "https://example.org",
        "https://xn--bcher-kva.example:8443",
        "http://localhost:3000",
    ]
    assert read_origins(" \n ") == []


@pytest.mark.parametrize(
    "text",
    [
        "*",
        "https://*.example.com",
        "http://example.com",
        "javascript:alert(1)",
        "data:text/html,x",
        "https://user:pw@example.com",
        "https://exa mple",
        "'self'",
        "https://example.com;script-src",
        "https://",
        "https://[::1",
        "https://example.com:99999",
        "example",
        "\n".join(f"https://s{number}.example.com" for number in range(21)),
    ],
)
def test_what_is_no_site_is_refused(text: str) -> None:
    with pytest.raises(OriginProblem):
        read_origins(text)


@pytest.mark.django_db
def test_picture_is_given_out_with_the_type_it_has(form: PublicForm, cast: Cast) -> None:
    first = set_picture(form, place="logo", sent=SentFile("logo.svg", PNG), actor=cast.owner)
    answer = picture_response(first)
    assert (answer["Content-Type"], answer["X-Content-Type-Options"]) == ("image/png", "nosniff")
    assert "sandbox" in answer["Content-Security-Policy"]
    second = set_picture(form, place="logo", sent=SentFile("logo.png", JPEG), actor=cast.owner)
    assert second.pk != first.pk
    assert [picture.content_type for picture in FormPicture.objects.all()] == ["image/jpeg"]
    assert remove_picture(form, place="logo", actor=cast.owner)
    assert not remove_picture(form, place="logo", actor=cast.owner)


@pytest.mark.django_db
@pytest.mark.parametrize("content", [HTML, SVG, PDF, b"", None, PNG + b"\x00" * 1_000_000])
def test_what_is_no_picture_is_refused(form: PublicForm, cast: Cast, content: bytes | None) -> None:
    with pytest.raises(PictureProblem):
        set_picture(form, place="cover", sent=SentFile("cover.png", content), actor=cast.owner)
    assert not FormPicture.objects.exists()


@pytest.mark.django_db
def test_change_is_told_by_its_parts(form: PublicForm, cast: Cast) -> None:
    assert change_form(form, values={"color": "#aa0000", "title": form.title}, actor=cast.owner) == ["color"]
    assert change_form(form, values={"color": "#aa0000"}, actor=cast.owner) == []
    assert AuditEntry.objects.get(action="form.changed").changes == {"parts": "colour"}
