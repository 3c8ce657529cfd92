"""Who asks for a verification: what limits are counted by, and what language its sentences have."""

import uuid
from dataclasses import dataclass
from typing import Literal

AskerKind = Literal["api", "form", "portal", "member", "automation"]
PUBLIC: frozenset[AskerKind] = frozenset({"form", "portal"})


@dataclass(frozen=True)
class Asker:
    """Somebody who wants a number proved.

    `id` is that of the form, the portal, the API key, the member or the automation; `ip` the visitor's address, ""
    where there is none, as with the API: its caller's address says nothing about who asks. It is never stored as it is.
    `has_passed` says that this request solved the challenge of a form, or waited instead: see challenge.py. `device`
    names a browser in which the person of the number was logged in before: codes that it asks for are counted apart, so
    that nobody who asks for codes to a number that is not his keeps its owner out.
    """

    kind: AskerKind
    id: uuid.UUID | None = None
    ip: str = ""
    language: str = ""
    has_passed: bool = False
    device: str = ""

    @property
    def is_public(self) -> bool:
        """Tell whether anybody at all may ask like this, and has a browser."""
        return self.kind in PUBLIC
