"""What is being built, shown in the very page that visitors get; nothing entered there is kept."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import translation

from .answers import read_answers
from .definition import Kind, read
from .models import FormPicture, PublicForm
from .public.countries import every_country
from .public.languages import choose, offered_by
from .public.sealing import seal
from .public.shown import show
from .public.theme import theme_of
from .receiving import KeepSmallFiles, sent_files
from .selectors import pictures_of


def preview_page(request: HttpRequest, form: PublicForm, *, picture_at: Callable[[FormPicture], str]) -> HttpResponse:
    """Return the page, with pictures from these addresses; sent, it says in the visitor's language what is wrong."""
    if request.method == "POST":
        request.upload_handlers = [KeepSmallFiles(request)]
    definition = read(form.definition, knows_number=form.knows_number)
    languages = offered_by(form.languages)
    asked = request.POST.get("speak") or request.POST.get("lang") or request.GET.get("lang", "")
    language = choose(languages, wanted=asked[:12])
    problems: dict[str, str] = {}
    values: dict[str, Any] = {}
    with translation.override(language.code):
        if request.method == "POST":
            values = {
                field.key: request.POST.getlist(field.key)
                if field.kind == Kind.CHOICES
                else request.POST.get(field.key, "")
                for field in definition.fields
            }
            if "speak" not in request.POST:
                region = form.organization.default_region
                problems = read_answers(definition, request.POST, sent_files(request), region=region).problems
        usual = {field.key: form.organization.default_region for field in definition.fields}
        fields = show(definition, values=values, errors=problems, countries=every_country(), chosen=usual)
        pictures = {f"{place}_url": picture_at(picture) for place, picture in pictures_of(form).items()}
        context = {
            "form": form,
            "fields": fields,
            "language": language,
            "languages": languages,
            "theme": theme_of(form.color),
            "nonce": getattr(request, "csp_nonce", ""),
            "organization_name": form.organization.name,
            "is_preview": True,
            "is_framed": request.GET.get("framed") == "1",
            "action": request.get_full_path(),
            "state": "preview",
            "asks_for_proof": definition.verified_field is not None,
            "has_files": any(field.kind == Kind.FILE for field in definition.fields),
            "problems": [{"id": key, "text": text} for key, text in problems.items()],
            "has_errors": bool(problems),
            **pictures,
        }
        response = render(request, "portal/forms/public/fill.html", context)
    seal(response, embed_origins=[])
    response._csp_config["frame-ancestors"] = ["'self'"]  # type: ignore[attr-defined]
    response["X-Frame-Options"] = "SAMEORIGIN"
    return response
