"""What the forms of building say: the draft that was shown, and the place that is meant."""

from integrations.organizations.pages import MemberRequest
from messaging.automations.flow import Place


def shown_of(request: MemberRequest) -> int:
    """Return the number of the draft that the page showed, as its form says."""
    return _number(request.POST.get("draft", ""), unless=0)


def place_of(request: MemberRequest) -> Place:
    """Return the place that a form or a link names."""
    said = request.POST if request.method == "POST" else request.GET
    return Place(said.get("parent", "")[:12], said.get("branch", "")[:40], _number(said.get("index", ""), unless=0))


def _number(raw: str, *, unless: int) -> int:
    return int(raw) if raw.isascii() and raw.isdecimal() and len(raw) < 9 else unless
