"""Every address the resolver knows, who may reach it, rows to fill it in with, and a way to ask that changes nothing.

A member page is known by the capability its decorator names, an admin by its registration. Whatever else there is must
stand in CLASSIFIED: `test_every_route` says so of a new one.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from django.db import connection as database
from django.db import transaction
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import URLPattern, URLResolver, get_resolver

from integrations.connections.models import Connection
from integrations.connections.sandbox import connect_sandbox
from integrations.organizations.models import ApiKey, Invitation, Member, Organization
from integrations.organizations.roles import Capability
from integrations.organizations.tenant_admin import PlacedAdmin
from integrations.sandbox.phone_tokens import seal_number
from messaging.alerts.models import Alert
from messaging.automations.models import Automation, Run
from messaging.automations.trigger_models import AutomationHook
from messaging.broadcasts.models import Broadcast
from messaging.consent.models import ConsentRecord, OptOut
from messaging.contact_files.models import ContactImport
from messaging.contacts.models import AttributeDefinition, Contact, SavedFilter, Tag
from messaging.inbound.models import MessageMedia
from messaging.inbox.models import CannedReply, Conversation, KeywordRule
from messaging.jobs.models import Job
from messaging.sending.models import Message
from messaging.templates.models import Template
from messaging.verification.limit_models import PausedPrefix
from messaging.verification.models import ClosedChannel, Verification
from portal.accounts.batch_models import PortalInvitationBatch
from portal.accounts.models import (
    Portal,
    PortalInvitation,
    PortalNotification,
    PortalPasskey,
    PortalRole,
    PortalSending,
    PortalSession,
    PortalUser,
)
from portal.forms.models import FormPicture, PublicForm, Submission, SubmissionExport, SubmissionFile
from tests.world import SECRETS, World, furnish

OURS, THEIRS = "+4915112398765", "+4915187654321"


class Door(Enum):
    """Who may pass, where no decorator of ours says it."""

    PUBLIC = auto()  # anybody; nothing of a tenant stands there
    SIGNED_IN = auto()  # about oneself
    DASHBOARD = auto()  # `/`: a way to one's organization, and inside it a member page
    SITE = auto()  # the admin's own pages: members inside, operators outside
    SIGNED = auto()  # by the signature of the caller
    KEY = auto()  # by API key
    SECRET = auto()  # by the secret of one automation, or a signature that needs it
    PORTAL = auto()  # anybody who has the address of the portal; what the portal says of itself, and of nobody
    PORTAL_USER = auto()  # who is logged in to that portal, about themselves


@dataclass(frozen=True)
class Route:
    """An address as the resolver has it: its pattern, its view, and the whole name."""

    pattern: str
    view: Any
    name: str

    @property
    def capability(self) -> Capability | None:
        return getattr(self.view, "capability", None)

    @property
    def is_operators(self) -> bool:
        return getattr(self.view, "is_operator_page", False)

    @property
    def records(self) -> PlacedAdmin | None:
        return getattr(self.view, "model_admin", None)

    @property
    def door(self) -> Door | None:
        found = {door for known, (door, _) in CLASSIFIED.items() if re.fullmatch(known, self.name)}
        return found.pop() if len(found) == 1 else None


def routes(resolver: URLResolver | None = None, prefix: str = "", names: tuple[str, ...] = ()) -> Iterator[Route]:
    """Yield every address of the product."""
    for entry in (resolver or get_resolver()).url_patterns:
        pattern = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from routes(entry, pattern, (*names, entry.namespace) if entry.namespace else names)
        elif isinstance(entry, URLPattern):
            yield Route(pattern, entry.callback, ":".join((*names, entry.name or "?")))


# Addresses without one of our decorators: who passes, and why that is right.
CLASSIFIED: dict[str, tuple[Door, str]] = {
    "home": (Door.DASHBOARD, "the start of everything"),
    "health-(live|ready)": (Door.PUBLIC, "load balancers ask it"),
    "metrics": (Door.PUBLIC, "loopback or a token, and figures of the process only: see test_health"),
    "account_(login|logout|inactive|confirm_login_code|email_verification_sent|confirm_email)": (
        Door.PUBLIC, "the way in and out"),
    "account_signup": (Door.PUBLIC, "closed unless OPEN_SIGNUP is set, or one was invited: see test_sign_in"),
    "account_reset_password(_done|_from_key|_from_key_done)?": (Door.PUBLIC, "who forgot a password cannot sign in"),
    "mfa_authenticate": (Door.PUBLIC, "the second step of signing in"),
    "account_(email|change_password|set_password|reauthenticate)": (Door.SIGNED_IN, "one's own account"),
    "mfa_(?!authenticate).*": (Door.SIGNED_IN, "one's own second factor"),
    "organizations:choose": (Door.SIGNED_IN, "one's own memberships"),
    "organizations:invitation_(open|accept)": (Door.PUBLIC, "who was invited may have no account yet; by a token"),
    "hook-(status|inbound)": (Door.SIGNED, "Twilio's signature: see tests/messaging/receipts"),
    "hook-automation": (Door.SECRET, "by the automation’s secret: see tests/messaging/automations/triggers"),
    "unsubscribe": (Door.PUBLIC, "by a token that only the recipient has: see test_unsubscribing"),
    "form|form-picture": (Door.PUBLIC, "filled in by anybody: see tests/portal/forms/public"),
    "portal:(door|picture|help|invitation|passkey_options|passkey_login)": (
        Door.PORTAL, "the way in: see tests/portal/accounts"),
    "portal:(?!(door|picture|help|invitation|passkey_options|passkey_login)$).*": (
        Door.PORTAL_USER, "by the portal's own cookie: see tests/portal/accounts"),
    "api:(openapi-json|openapi-view)": (Door.PUBLIC, "the API documents itself"),
    "api:(?!openapi).*": (Door.KEY, "by key: see tests/messaging/api"),
    "admin:(index|login|logout|autocomplete|jsi18n|app_list|search|\\?)": (
        Door.SITE, "entered as MemberAdminSite.admin_view says: see test_tenant_admin"),
}  # fmt: skip

ALL = list(routes())
MEMBER_PAGES = [route for route in ALL if route.capability is not None]
OPERATOR_PAGES = [route for route in ALL if route.is_operators]
# The pages of a model, and what they ask for besides the model's existence at that place.
ADMIN_PAGES = [route for route in ALL if route.records is not None and not route.name.endswith("?")]
OTHERS = [route for route in ALL if route.door is not None and route.records is None]


def by_door(*doors: Door) -> list[Route]:
    return [route for route in OTHERS if route.door in doors]


# What stands behind a `pk`, by the name of the route, the first that fits. `world.sandbox` is added by `place`.
ROWS: dict[str, Callable[[Any], Any]] = {
    "organizations:invitation_": lambda world: world[Invitation].pk,
    "organizations:member": lambda world: world.removable.pk,
    "organizations:api_key_": lambda world: world[ApiKey].pk,
    "alerts:": lambda world: world[Alert].pk,
    "automations:run_": lambda world: world[Run].pk,
    "automations:runs": lambda world: world[Automation].pk,
    "automations:run": lambda world: world[Run].pk,
    "automations:": lambda world: world[Automation].pk,
    "connections:": lambda world: world[Connection].pk,
    "platform_messages:": lambda world: world[Message].pk,
    "platform_sms:": lambda world: world[Connection].pk,
    "sandbox:": lambda world: world.sandbox.pk,
    "messages:test": lambda world: world[Connection].pk,
    "messages:speed": lambda world: world[Connection].pk,
    "messages:": lambda world: world[Message].pk,
    "broadcasts:": lambda world: world[Broadcast].pk,
    "contact_files:": lambda world: world[ContactImport].pk,
    "contacts:": lambda world: world[Contact].pk,
    "inbox:canned_": lambda world: world[CannedReply].pk,
    "inbox:medium": lambda world: world[MessageMedia].pk,
    "inbox:rule_": lambda world: world[KeywordRule].pk,
    "inbox:open": lambda world: world[Contact].pk,
    "inbox:": lambda world: world[Conversation].pk,
    "portal:end_login": lambda world: world[PortalSession].pk,
    "portal:remove_passkey": lambda world: world[PortalPasskey].pk,
    "portal:picture": lambda world: world[FormPicture].pk,
    "form-picture": lambda world: world[FormPicture].pk,
    "forms:": lambda world: world[PublicForm].pk,
    "portal_forms:": lambda world: world[Portal].form_id,
    "portals:": lambda world: world[Portal].pk,
    "templates:": lambda world: world[Template].pk,
    "verifications:": lambda world: world[Verification].pk,
    "consent:": lambda world: world[OptOut].pk,
    "consents:": lambda world: world[Contact].pk,
    "verification_limits:": lambda world: world[PausedPrefix].pk,
    "jobs:": lambda world: world[Job].pk,
}
VALUES: dict[str, Callable[[Any], Any]] = {
    "attribute_pk": lambda world: world[AttributeDefinition].pk,
    "filter_pk": lambda world: world[SavedFilter].pk,
    "job_pk": lambda world: world[Job].pk,
    "other_pk": lambda world: world[Contact].pk,
    "tag_pk": lambda world: world[Tag].pk,
    "node": lambda world: "n1",
    "number": lambda world: 1,
    "run_pk": lambda world: world[Run].pk,
    "channel_id": lambda world: world[ClosedChannel].pk,
    "slug": lambda world: world.organization.slug,
    "token": lambda world: world.token,
    "hook_key": lambda world: world[Connection].hook_key,
    "automation_id": lambda world: world[Automation].pk,
    "run_id": lambda world: world[Run].pk,
    "automation_key": lambda world: world[AutomationHook].key,
    "broadcast_id": lambda world: world[Broadcast].pk,
    "message_id": lambda world: world[Message].pk,
    "contact_id": lambda world: world[Contact].pk,
    "template_id": lambda world: world[Template].pk,
    "opt_out_id": lambda world: world[OptOut].pk,
    "verification_id": lambda world: world[Verification].pk,
    "consent_id": lambda world: world[ConsentRecord].pk,
    "export_pk": lambda world: world[SubmissionExport].pk,
    "file_pk": lambda world: world[SubmissionFile].pk,
    "picture_pk": lambda world: world[FormPicture].pk,
    "place": lambda world: "logo",
    "kind": lambda world: "approved",
    "language": lambda world: "en",
    "person_pk": lambda world: world[PortalUser].pk,
    "invitation_id": lambda world: world[PortalInvitation].pk,
    "invitation_pk": lambda world: world[PortalInvitation].pk,
    "batch_pk": lambda world: world[PortalInvitationBatch].pk,
    "notification_pk": lambda world: world[PortalNotification].pk,
    "sending_pk": lambda world: world[PortalSending].pk,
    "role_pk": lambda world: world[PortalRole].pk,
    "submission_pk": lambda world: world[Submission].pk,
    "app_label": lambda world: "messaging",
    "key": lambda world: "no-such-key",
    "uidb36": lambda world: "1",
    "url": lambda world: "nothing",
}

# Pages that everybody of the organization may look at, and some may write on.
WRITING: dict[str, Capability] = {"sandbox:phone": Capability.SEND}
# What an empty form of these answers besides the usual, and why.
ANSWERS: dict[str, set[int]] = {
    "automations:test_run": {404},  # the one run of the world is no test
    "portals:people_download": {404},  # the one table of the world is of a public form's submissions
    "portals:person_do": {404},  # nothing is said to be done
    "portals:person_file": {404},  # the one file of the world was sent by a public form
    "portal_forms:picture": {404},  # the one picture of the world is that of a public form
    "portal:invitation": {404},  # nobody made an invitation of the world's token
    "portal:picture": {404},  # the one picture of the world is that of a public form
    "sandbox:preset": {404},  # a preset that nobody made
    "verifications:check": {404},  # only who asked for the code may enter it on a page
    "verifications:resend": {404},
    "organizations:invitation_accept": {410},  # without the link of an invitation
}


def value_of(name: str, route: Route, world: Any) -> str:
    """Return what fills a part of the address: an id of the world's organization."""
    if name == "slug" and route.door in {Door.PORTAL, Door.PORTAL_USER}:
        return str(world[Portal].slug)
    if name == "object_id" and route.records is not None:
        return str(world[route.records.model].pk)
    if name in VALUES:
        return str(VALUES[name](world))
    for beginning, row in ROWS.items():
        if name == "pk" and route.name.startswith(beginning):
            return str(row(world))
    raise LookupError(f"Say in ROWS or VALUES what stands behind “{name}” in {route.name}.")


def address(route: Route, world: Any) -> str:
    """Fill the pattern in with rows of the world; no slash stands in front."""
    path = re.sub(r"\(\?P<(\w+)>(?:[^()]|\([^()]*\))*\)", r"<\1>", route.pattern).replace("[\\s\\S]*", "nothing")
    path = path.replace("^", "").replace("$", "").replace("\\", "")
    return re.sub(r"<(?:\w+:)?(\w+)>", lambda part: value_of(part[1], route, world), path)


@dataclass
class Place(World):
    """A furnished organization with a sandbox connection, a phone on it, and somebody who can be removed."""

    sandbox: Any = None
    removable: Any = None
    token: str = ""


def place(organization: Organization, *, owner: Any, mark: str, number: str, removable: Any = None) -> Place:
    organization.name = f"{mark} organization"
    organization.save()
    world = furnish(organization, owner=owner, mark=mark, number=number)
    sandbox = connect_sandbox(organization, actor=owner, name=f"{mark} sandbox", with_check=False)
    return Place(
        organization=organization,
        mark=mark,
        rows=world.rows,
        sandbox=sandbox,
        removable=removable or world[Member],
        token=seal_number(number, connection_id=sandbox.pk),
    )


@dataclass
class Asked:
    """An answer, and the statements by which it changed rows other than the session's."""

    response: HttpResponse
    changes: list[str]

    @property
    def status(self) -> int:
        return self.response.status_code

    @property
    def text(self) -> str:
        body = b"".join(self.response) if self.response.streaming else self.response.content  # type: ignore[arg-type]
        return body.decode(errors="replace") + str(self.response.headers)


# allauth keeps a row of its own for each address, made when it is first looked at.
_CHANGE = re.compile(r'\s*(INSERT INTO|UPDATE|DELETE FROM) "(?!django_session|django_cache|account_emailaddress)', re.I)


def ask(client: Client, method: str, path: str, data: dict[str, Any] | None = None) -> Asked:
    """Make a request and take back what it changed, so that the next one finds the same world."""
    with taken_back(), CaptureQueriesContext(database) as statements:
        response = getattr(client, method)(path, data or {})
    return Asked(response, [row["sql"] for row in statements if _CHANGE.match(row["sql"])])


@contextmanager
def taken_back() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def assert_tells_nothing(asked: Asked, *, of: Place | None, about: object) -> None:
    """Nothing of that organization stands in the answer, and no secret of anybody."""
    squeezed = re.sub(r"[\s()-]|&nbsp;", "", asked.text)
    if of is not None:
        words = (of.mark, of.organization.name, of.sandbox.account_sid, str(of[Contact].pk), str(of[Message].pk))
        for word in words:
            assert word not in asked.text, about
        for digits in {OURS, THEIRS}:
            if digits == of[Contact].phone:
                assert digits[3:] not in squeezed, about
    for name, secret in SECRETS.items():
        assert secret[:16] not in asked.text, (name, about)
