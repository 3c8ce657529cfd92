"""Pages of who is logged in."""

from django.http import HttpRequest, HttpResponse

from portal.accounts.public.shell import Here, page, portal_page


@portal_page()
def home(request: HttpRequest, here: Here) -> HttpResponse:
    """Where one is after logging in."""
    return page(here, "inside/home")
