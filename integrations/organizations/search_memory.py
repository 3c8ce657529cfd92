"""What a member searches a list for, kept in the session: a phone number must not stand in an address.

The address of the found list carries a short key instead, so that going back, reloading and paging work, while
histories, proxies and logs see nothing of the number.
"""

import secrets
from collections.abc import Mapping
from urllib.parse import parse_qs, urlsplit

from django.http import HttpRequest

_LONGEST = 8_000  # signs of one value
_MOST = 20  # searches remembered for each member; the oldest goes first
_SESSION_KEY = "searches"


def key_of(request: HttpRequest) -> str:
    """Return the key in the address of the list the member looks at, "" without one."""
    if request.method == "POST":
        try:
            shown = urlsplit(request.headers.get("HX-Current-URL", ""))
        except ValueError:  # anybody may write anything into a header
            return ""
        return parse_qs(shown.query).get("search", [""])[0]
    return request.GET.get("search", "")


def remember(request: HttpRequest, *, wanted: Mapping[str, str], key: str = "") -> str:
    """Keep a search and return its key, "" for an empty one; a known `key` is used again, as while typing."""
    wanted = {name: value[:_LONGEST] for name, value in wanted.items() if value}
    if not wanted:
        return ""
    searches = dict(request.session.get(_SESSION_KEY, {}))
    key = key if key in searches else secrets.token_urlsafe(6)
    searches.pop(key, None)
    searches[key] = wanted
    request.session[_SESSION_KEY] = dict(list(searches.items())[-_MOST:])
    return key


def recall(request: HttpRequest, *, key: str) -> dict[str, str]:
    """Return the search of that key, empty where it is forgotten or another session's."""
    return dict(request.session.get(_SESSION_KEY, {}).get(key, {}))
