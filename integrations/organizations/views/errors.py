"""What somebody sees when a form is older than the session it was opened in."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Say that the page is stale and what to do; nothing was saved."""
    return render(request, "integrations/organizations/stale_form.html", {"title": "This form is stale"}, status=403)
