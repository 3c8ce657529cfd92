"""People who come to a form from another room that has proved their number already, a portal: no second code.

That room registers itself with what it hands out and what it stands for: a form asks, and never looks behind it.
"""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from django.db.models.functions import Now

from integrations.masking import mask_ip

from .definition import Kind, parse
from .drafting import LASTS, find_draft, hash_secret
from .models import FormDraft, PublicForm, Submission


@dataclass(frozen=True)
class Arrival:
    """Somebody who arrives: the number that is proved, the id of the proof, and the secret of the way through the form.

    The same person who arrives twice by the same button has the same secret, so that one submission comes of it.
    `known` is what is known of them by what a question saves it as: "name", "email".
    """

    secret: str
    phone: str
    proof_id: uuid.UUID
    known: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class WayBack:
    """Where somebody came from, and goes back to once the form was sent."""

    name: str
    address: str


WayBackFinder = Callable[[Submission], WayBack | None]
_ways_back: list[WayBackFinder] = []


def register_way_back(finder: WayBackFinder) -> None:
    """Let a room take back whom it sent to a form; `finder` returns None for who came from elsewhere."""
    _ways_back.append(finder)


def way_back_of(submission: Submission) -> WayBack | None:
    """Return where who sent this came from; None for whoever opened the form's own link."""
    return next((found for finder in _ways_back if (found := finder(submission)) is not None), None)


ArrivalReader = Callable[[str, PublicForm], Arrival | None]
_readers: list[ArrivalReader] = []


def register_arrivals(reader: ArrivalReader) -> None:
    """Let a room send people to forms; `reader` returns who comes with a ticket of its own, None for any other."""
    _readers.append(reader)


def read_arrival(ticket: str, form: PublicForm) -> Arrival | None:
    """Return who comes with this ticket; None where it is forged, too old, or of another form."""
    if not ticket:
        return None
    return next((found for reader in _readers if (found := reader(ticket[:500], form)) is not None), None)


def begin_draft(form: PublicForm, arrival: Arrival, *, language: str, ip: str) -> FormDraft | None:
    """Begin a submission with the number in it; the one that was begun before where the same ticket comes again.

    None where the form asks for no number, or the begun one has run out.
    """
    if form.current is None:
        return None
    definition = parse(form.current.definition)
    asked = definition.number_field
    if asked is None:
        return None
    answers = {asked.key: arrival.phone}
    for one in definition.fields:
        if one.kind in {Kind.SHORT_TEXT, Kind.EMAIL} and (known := arrival.known.get(one.saves_as, "")):
            answers[one.key] = known
    FormDraft.objects.get_or_create(
        secret_hash=hash_secret(arrival.secret),
        defaults={
            "form": form,
            "version": form.current,
            "answers": answers,
            "phone": arrival.phone,
            "verification_id": arrival.proof_id,
            "language": language[:12],
            "network": mask_ip(ip) if ip else "",
            "expires_at": Now() + LASTS,
        },
    )
    return find_draft(form, arrival.secret)
