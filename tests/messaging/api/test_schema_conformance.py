"""Schemathesis throws what the document allows, and what it forbids, at every operation."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
import schemathesis
from django.conf import LazySettings
from django.core.handlers.wsgi import WSGIHandler
from django.utils import timezone
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as bounded
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import (
    content_type_conformance,
    negative_data_rejection,
    not_a_server_error,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from integrations.connections.models import Connection
from integrations.organizations.models import Organization
from messaging.automations.models import Automation, AutomationVersion, Run
from messaging.broadcasts.models import Broadcast
from messaging.consent.ledger import Entry, record_consent
from messaging.consent.opt_outs import opt_out
from messaging.sending import statuses
from messaging.sending.models import Message
from messaging.templates.wording import create_template
from messaging.verification.models import Verification
from portal.accounts.invitations import invite, revoke
from tests.conftest import Cast
from tests.factories import ContactFactory, MessageFactory
from tests.portal.accounts.furnishing import make_portal

from .conftest import Caller

CHECKS = (
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
)
EXAMPLES = 15
NUMBERS = [f"+4915112345{number}" for number in range(670, 690)]
OPERATIONS = [
    "GET /api/v1/messages",
    "POST /api/v1/messages",
    "GET /api/v1/messages/{message_id}",
    "POST /api/v1/messages/{message_id}/cancel",
    "GET /api/v1/automations",
    "GET /api/v1/automations/{automation_id}/runs",
    "GET /api/v1/automations/runs/{run_id}",
    "POST /api/v1/automations/runs/{run_id}/retry",
    "POST /api/v1/automations/runs/{run_id}/stop",
    "POST /api/v1/events",
    "GET /api/v1/broadcasts",
    "POST /api/v1/broadcasts",
    "GET /api/v1/broadcasts/{broadcast_id}",
    "GET /api/v1/broadcasts/{broadcast_id}/problems",
    "POST /api/v1/broadcasts/{broadcast_id}/recipients",
    "POST /api/v1/broadcasts/{broadcast_id}/start",
    "POST /api/v1/broadcasts/{broadcast_id}/pause",
    "POST /api/v1/broadcasts/{broadcast_id}/resume",
    "POST /api/v1/broadcasts/{broadcast_id}/cancel",
    "GET /api/v1/contacts",
    "POST /api/v1/contacts",
    "GET /api/v1/contacts/{contact_id}",
    "PATCH /api/v1/contacts/{contact_id}",
    "DELETE /api/v1/contacts/{contact_id}",
    "GET /api/v1/templates",
    "POST /api/v1/templates",
    "GET /api/v1/templates/{template_id}",
    "PUT /api/v1/templates/{template_id}",
    "GET /api/v1/opt-outs",
    "POST /api/v1/opt-outs",
    "GET /api/v1/opt-outs/{opt_out_id}",
    "DELETE /api/v1/opt-outs/{opt_out_id}",
    "GET /api/v1/consents",
    "POST /api/v1/consents",
    "GET /api/v1/consents/{consent_id}",
    "POST /api/v1/verifications",
    "GET /api/v1/verifications/{verification_id}",
    "POST /api/v1/verifications/{verification_id}/resend",
    "POST /api/v1/verifications/{verification_id}/check",
    "POST /api/v1/verifications/{verification_id}/cancel",
    "GET /api/v1/portals/{slug}/users",
    "GET /api/v1/portals/{slug}/invitations",
    "POST /api/v1/portals/{slug}/invitations",
    "GET /api/v1/portals/{slug}/invitations/{invitation_id}",
    "POST /api/v1/portals/{slug}/invitations/{invitation_id}/resend",
    "POST /api/v1/portals/{slug}/invitations/{invitation_id}/revoke",
    "GET /api/v1/me",
]


@pytest.fixture
def ids(cast: Cast, connection: Connection) -> dict[str, list[str]]:
    """Things of every kind in every state, whose ids the examples mix in."""
    organization = cast.organization
    template = create_template(organization, name="Late", body="{{ n }} hours", actor=cast.owner)
    messages = [
        MessageFactory(
            organization=organization,
            connection=connection,
            status=status,
            direction="inbound" if status == statuses.Status.RECEIVED else "outbound",
            error_code=30008 if status in statuses.FAILURES else None,
            template=template,
            template_version=template.current,
            valid_until=timezone.now() + timedelta(hours=1),
        )
        for status in statuses.Status
    ]
    opt_outs = [opt_out(organization, phone=f"+491511234567{n}", source=s) for n, s in enumerate(("keyword", "api"))]
    broadcasts = [
        Broadcast.objects.create(
            organization=organization,
            name=status,
            body="Hello",
            audience="api",
            connection=connection,
            status=status,
            ready_count=1,
        )
        for status in [*Broadcast.Status.values, *["ready"] * 5]
    ]
    consent = record_consent(
        organization, Entry(phone="+4915112345679", action="granted", source="staff", reason="asked for it")
    )
    portal = make_portal(organization)
    # One whose text has failed, so that it may be sent again at once, and one that is over.
    invitations = [invite(portal, phone=f"+4915112346{n}00", actor=cast.owner) for n in range(2)]
    Message.objects.filter(source="portal").update(status="failed")
    revoke(invitations[1], actor=cast.owner)
    runs = _runs(organization)
    return {
        "slug": [portal.slug],
        "automation_id": [str(runs[0].automation_id)],
        "run_id": [str(run.pk) for run in runs],
        "invitation_id": [str(invitation.pk) for invitation in invitations],
        "broadcast_id": [str(broadcast.pk) for broadcast in broadcasts],
        "message_id": [str(message.pk) for message in messages],
        "contact_id": [str(ContactFactory(organization=organization).pk) for _ in range(3)],
        "template_id": [str(template.pk)],
        "opt_out_id": [str(one.pk) for one in opt_outs],
        "consent_id": [str(consent.pk)],
        "verification_id": [str(one.pk) for one in _verifications(organization, connection)],
    }


def _runs(organization: Organization) -> list[Run]:
    flow = {"trigger": {"kind": "", "settings": {}}, "nodes": [], "count": 0}
    automation = Automation.objects.create(organization=organization, name="Welcome", draft=flow)
    version = AutomationVersion.objects.create(automation=automation, number=1, flow=flow)
    return [
        Run.objects.create(
            organization=organization,
            automation=automation,
            version=version,
            key=f"{number}",
            status=status,
            due_at=timezone.now(),
        )
        for number, status in enumerate([*Run.Status.values, *["failed", "waiting"] * 5])
    ]


def _verifications(organization: Organization, connection: Connection) -> list[Verification]:
    now = timezone.now()
    return [
        Verification.objects.create(
            organization=organization,
            phone=f"+49151123457{number:02d}",
            asker_kind="api",
            backend="own",
            route="twilio",
            connection=connection,
            status=status,
            expires_at=now + timedelta(minutes=10),
            resend_after=now,
            approved_at=now if status == "approved" else None,
            ended_at=None if status == "pending" else now,
        )
        for number, status in enumerate([*Verification.Status.values, "pending", "pending"])
    ]


@pytest.fixture(autouse=True)
def _no_hurry(settings: LazySettings) -> None:
    settings.API_RATE = 0


@pytest.fixture
def schema(db: None) -> Any:
    return schemathesis.openapi.from_wsgi("/api/v1/openapi.json", WSGIHandler())


def test_every_operation_is_tried(schema: Any) -> None:
    assert sorted(result.ok().label for result in schema.get_all_operations()) == sorted(OPERATIONS)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("mode", "label"),
    [(GenerationMode.POSITIVE, label) for label in OPERATIONS]
    # Nothing can be wrong about a request that takes nothing.
    + [(GenerationMode.NEGATIVE, label) for label in OPERATIONS if label != "GET /api/v1/me"],
)
def test_operation(api: Caller, ids: dict[str, list[str]], schema: Any, label: str, mode: GenerationMode) -> None:
    method, path = label.split(" ")
    operation = schema[path][method]
    checks = [*CHECKS, negative_data_rejection] if mode is GenerationMode.NEGATIVE else [*CHECKS]

    @given(case=operation.as_strategy(generation_mode=mode), data=st.data())
    @bounded(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def run(case: Any, data: st.DataObject) -> None:
        if mode is GenerationMode.POSITIVE:
            for name in case.path_parameters or {}:
                case.path_parameters[name] = data.draw(st.sampled_from([*ids[name], str(uuid.UUID(int=7))]))
            for name in {"to", "phone"} & set(case.body if isinstance(case.body, dict) else ()):
                # No schema tells which digits are a number.
                case.body[name] = data.draw(st.sampled_from([case.body[name], *NUMBERS]))
        response = case.call(headers=authorization)
        answered.add(response.status_code)
        case.validate_response(response, checks=checks, headers=authorization)

    authorization, answered = {"Authorization": f"Bearer {api.key}"}, set()
    run()
    # The examples reached what they are meant to try. Some of the bad ones have a bad key.
    assert answered & ({200, 201, 202, 204} if mode is GenerationMode.POSITIVE else {400, 404, 422})
    # Of codes the examples ask for more than anybody may have.
    unexpected = {403} if "/verifications" in label else {403, 429}
    assert not answered & (unexpected | {401} if mode is GenerationMode.POSITIVE else unexpected)
