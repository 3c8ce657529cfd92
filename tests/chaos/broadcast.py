"""The part of a drill that goes out as a running broadcast. As a program it starts one, in the settings of the place.

Standard input: `{"organization": slug, "recipients": [[to, number], …]}`; the text is that of the drill's messages.
"""

import json
import sys
from collections.abc import Iterable, Mapping

import django

from tests.chaos.intake import Kind, Wanted

_CALL = 500
TEXT = "Your parcel {{ parcel }} arrives today between 10 and 12."


def plan_broadcast(count: int) -> list[Wanted]:
    """Return whom the broadcast goes to: numbers that nobody else of the drill is written to at."""
    return [
        Wanted(number, Kind.UNIQUE, f"+49157{number:08d}", TEXT.replace("{{ parcel }}", f"B{number:06d}"))
        for number in range(count)
    ]


def accounted(wanted: Iterable[Wanted], *, rows: Mapping[str, list[str]]) -> dict[str, Wanted]:
    """Return the wanted by the ids of the messages that the broadcast made of them.

    `rows` are the ids of its messages by number. Whoever got no message has an id that no message has, and counts as
    lost; a second message of somebody is in nobody's name, and counts as doubled.
    """
    return {rows.get(one.to, [f"no message to {one.to}"])[0]: one for one in wanted}


def _start(organization: str, recipients: list[list[str]]) -> str:
    """Make the broadcast, hand its recipients in as the API does, and have it start as soon as it is checked."""
    from integrations.organizations.models import Organization
    from messaging.broadcasts import creating, lifecycle
    from messaging.broadcasts.models import Broadcast

    plan = creating.Plan(name="Drill", audience=Broadcast.Audience.API, body=TEXT, starts_when_clean=True)
    broadcast = creating.create(Organization.objects.get(slug=organization), plan=plan, actor="drill")
    for begin in range(0, len(recipients), _CALL):
        part = [{"to": to, "variables": {"parcel": parcel}} for to, parcel in recipients[begin : begin + _CALL]]
        creating.add_recipients(broadcast, part)
    lifecycle.begin_check(broadcast)
    return str(broadcast.pk)


if __name__ == "__main__":
    django.setup()
    order = json.loads(sys.stdin.read())
    print(_start(order["organization"], order["recipients"]))
