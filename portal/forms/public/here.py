"""One request of a visitor: which form, in which language, on whose way through it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from django.http import HttpRequest, QueryDict

from integrations.organizations.network import client_ip
from messaging.verification.askers import Asker
from portal.forms.answers import SentFile
from portal.forms.definition import Definition, parse
from portal.forms.models import PublicForm
from portal.forms.receiving import sent_files

from .languages import LANGUAGES, Language, choose, offered_by
from .visits import Visit, read_visit


@dataclass(frozen=True)
class Here:
    """What every step needs. `visit` is new where the page brought none."""

    form: PublicForm
    languages: list[Language]
    language: Language
    visit: Visit
    is_new: bool
    is_framed: bool
    action: str
    nonce: str
    ip: str
    accept_language: str = ""
    posted: QueryDict = field(default_factory=QueryDict)
    files: Mapping[str, SentFile] = field(default_factory=dict)
    has_passed: bool = False

    @property
    def definition(self) -> Definition:
        """The questions as they are published."""
        assert self.form.current is not None  # noqa: S101 - what was ever open has a version, and the database holds it
        return parse(self.form.current.definition, knows_number=self.form.knows_number)

    @property
    def asker(self) -> Asker:
        """Who asks for a code, as limits count it."""
        return Asker("form", self.form.pk, ip=self.ip, language=self.language.code, has_passed=self.has_passed)

    @property
    def authored_tag(self) -> str:
        """The language in which the form's own words are, where it is not the page's: for who hears the page."""
        return "" if self.languages[0] == self.language else self.languages[0].tag

    def passed(self) -> "Here":
        """Return the same request, of which the challenge was solved."""
        return replace(self, has_passed=True)

    def with_visit(self, visit: Visit) -> "Here":
        return replace(self, visit=visit)


def look_around(request: HttpRequest, form: PublicForm) -> Here:
    """Read a request. The body has to be readable: see views.py."""
    posted = request.POST
    visit = read_visit(posted.get("state", ""), form)
    return Here(
        form=form,
        languages=offered_by(form.languages),
        language=language_for(request, form),
        visit=visit or Visit.begin(),
        is_new=visit is None,
        is_framed="framed" in posted or "framed" in request.GET or request.headers.get("Sec-Fetch-Dest") == "iframe",
        action=request.path,
        nonce=str(getattr(request, "csp_nonce", "")),
        ip=client_ip(request),
        accept_language=request.headers.get("Accept-Language", ""),
        posted=posted,
        files=sent_files(request),
    )


def language_for(request: HttpRequest, form: PublicForm | None) -> Language:
    """Return the language to speak: what the page says, what the address says, what the browser says."""
    posted = request.POST
    wanted = posted.get("speak") or posted.get("lang") or request.GET.get("lang", "")
    offered = offered_by(form.languages) if form is not None else list(LANGUAGES.values())
    return choose(offered, wanted=wanted[:20], accept=request.headers.get("Accept-Language", ""))
