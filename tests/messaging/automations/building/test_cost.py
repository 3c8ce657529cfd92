"""What a page of the builder costs: questions to the database do not grow with the steps."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from messaging.automations.flow import Flow, NodeSpec
from messaging.automations.publishing import create
from messaging.automations.registry import every_node
from messaging.templates.wording import create_template
from tests.conftest import Cast

pytestmark = pytest.mark.django_db


def test_many_steps_ask_no_more_than_one_of_each_kind(cast: Cast) -> None:
    template = create_template(cast.organization, name="Sent", body="{{ name }}, {{ order }}", actor=cast.owner)
    sends: list[dict[str, Any]] = [
        {"to": "contact", "template": str(template.pk), "values": {"order": "7"}},
        {"to": "portal", "of_portal": "0", "text": "Hello"},
        {"to": "tag", "tag": "0", "text": "Hello"},
        {"to": "filter", "filter": "0", "text": "Hello"},
        {"to": "members", "members": ["agent"], "text": "Hello"},
    ]
    kinds = [(node.key, settings) for node in every_node() for settings in (sends if node.key == "send_sms" else [{}])]
    client, asked = cast.client("admin"), []
    for times in (1, 1, 2):  # the first look of all asks what is remembered afterwards
        steps = tuple(NodeSpec(f"n{at}", *kind) for at, kind in enumerate(kinds * times, start=1))
        flow = Flow("contact_created", {}, steps, len(steps))
        automation = create(cast.organization, name=f"Long {len(asked)}", flow=flow, actor=cast.admin)
        with CaptureQueriesContext(connection) as queries:
            page = client.get(f"/o/{cast.organization.slug}/automations/{automation.pk}/")
        assert page.status_code == 200 and page.content.decode().count("data-node=") == len(steps)
        asked.append(len(queries))
    assert asked[2] == asked[1]
