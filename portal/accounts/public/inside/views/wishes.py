"""Which messages a person gets: ticked boxes that become consent and opt-outs."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from portal.accounts.public.shell import TOO_LATE, Here, page, portal_page
from portal.accounts.wishes import WishRefused, change_wishes, start_sentence, wishes_of


@portal_page()
def wishes(request: HttpRequest, here: Here) -> HttpResponse:
    """Show what the person gets, and change it."""
    if request.method != "POST":
        return _page(here, notice=_("Your preferences were saved.") if "saved" in request.GET else "")
    wanted = {name: bool(here.posted.get(name)) for name in ("messages", "news")}
    try:
        change_wishes(here.user, **wanted, wording=news_wording(here), language=here.language.code)
    except WishRefused as refused:
        return _page(here, trouble=str(refused), status=TOO_LATE)
    return redirect(here.link("wishes") + "?saved")


def news_wording(here: Here) -> str:
    """Return the words beside the box for news, which the ledger keeps."""
    return _("News and offers of %(name)s by text message") % {"name": here.organization.name}


def _page(here: Here, *, notice: str = "", trouble: str = "", status: int = 200) -> HttpResponse:
    standing = wishes_of(here.user)
    context = {
        "wishes": standing,
        "wording": news_wording(here),
        "how_to_start": start_sentence(here.organization) if standing.needs_start else "",
        "narrow_stops": [stop for stop in standing.stops if stop.sender],
        "wordings": [agreed for agreed in standing.agreed if agreed.wording],
        "time_zone": here.organization.time_zone,
        "notice": notice,
        "trouble": trouble,
        "has_errors": bool(trouble),
    }
    return page(here, "inside/wishes", context, status=status)
