"""The part of a drill that an automation sends. As a program it makes one and sets it off, as the place is set.

Standard input: `{"organization": slug, "owner": e-mail, "people": [[number, name], …], "seconds": …}`. Contacts get a
tag, which begins a run for each; the runs are spread over the seconds by the automation's rate.
"""

import json
import sys
from typing import Any

import django

from tests.chaos.intake import Kind, Wanted

TEXT = "Your parcel {{ contact.name }} arrives today between 10 and 12."


def plan_automation(count: int) -> list[Wanted]:
    """Return whom the automation writes to: numbers that nobody else of the drill is written to at."""
    return [
        Wanted(number, Kind.UNIQUE, f"+49159{number:08d}", TEXT.replace("{{ contact.name }}", f"A{number:06d}"))
        for number in range(count)
    ]


def _start(order: dict[str, Any]) -> str:
    from django.db import transaction

    from integrations.organizations.models import Organization, User
    from integrations.phones import parse_phone
    from messaging.automations.flow import Flow, Place
    from messaging.automations.models import Automation
    from messaging.automations.publishing import create, publish
    from messaging.contacts.address_book import Details, add_tag, create_contact

    organization = Organization.objects.get(slug=order["organization"])
    owner = User.objects.get(email=order["owner"])
    flow = Flow().with_trigger("contact_tagged", {})
    flow, _ = flow.insert("send_sms", {"to": "contact", "text": TEXT}, at=Place())
    automation = create(organization, name="Drill", flow=flow, actor=owner)
    Automation.objects.filter(pk=automation.pk).update(
        per_minute=max(1, round(len(order["people"]) * 60 / order["seconds"]))
    )
    publish(automation, actor=owner)
    with transaction.atomic():
        for number, name in order["people"]:
            details = Details(phone=parse_phone(number, region=None), name=name)
            add_tag(create_contact(organization, details=details, actor=owner), name="drill", actor=owner)
    return str(automation.pk)


if __name__ == "__main__":
    django.setup()
    print(_start(json.loads(sys.stdin.read())))
