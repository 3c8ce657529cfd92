"""What lists of the room have in common: the search words and the page."""

from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import HttpRequest

PER_PAGE = 50


def search_words(request: HttpRequest, name: str = "q") -> str:
    """Return what was searched for, as `plain_search` has it."""
    return plain_search(request.GET.get(name, ""))


def plain_search(text: str) -> str:
    """Return typed words on one line; PostgreSQL takes no NUL, so it falls away."""
    return " ".join(text.replace("\x00", "").split())[:100]


def page_of(request: HttpRequest, rows: QuerySet[Any]) -> Page[Any]:
    """Return the page that `?page=` asks for; the nearest one where it asks for nonsense."""
    return Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
