"""A row of every model for two organizations: what walks over all pages need to have something to find."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from django.db.models import Model
from django.utils import timezone

from integrations.connections.models import RefusedWebhook, ReplyAddress
from integrations.organizations import audit
from integrations.organizations.models import ApiKey, Invitation, Member, Organization, User
from integrations.platform_sms.models import CreditAccount, CreditEntry, PlatformDestination, PlatformPolicy
from messaging.alerts.models import Alert, AlertMail, FailureCount, MailRefusal
from messaging.broadcasts.models import Broadcast, Recipient, RecipientBatch
from messaging.consent.ledger import Entry, record_consent
from messaging.consent.models import ConsentPolicy, ConsentState, OptOut, UnsubscribeLink
from messaging.contact_files.models import ContactImport, ImportedNumber
from messaging.contacts.models import AttributeDefinition, ErasureSecret, SavedFilter, Tag, TaggedInJob
from messaging.csv_files.inspection import inspect
from messaging.csv_files.models import Upload, UploadChunk
from messaging.dashboard.models import CountProgress, QuarterCount
from messaging.inbound.models import MessageMedia
from messaging.inbox.models import CannedReply, Conversation, InboxPolicy, KeywordRule, RuleAnswer
from messaging.jobs.models import Job
from messaging.outgoing.models import OutgoingSecret
from messaging.pricing.models import CountryPrice, PriceSearch
from messaging.receipts.models import Callback
from messaging.retention.models import RetentionPolicy, TwilioRemoval
from messaging.sending.limit_models import DailyUse, Pace, SendingPolicy
from messaging.sending.models import IdempotencyKey, MessageEvent, WorkerPulse
from messaging.templates.models import Template, TemplateVersion
from messaging.verification.limit_models import LimitCount, PausedPrefix, SpentProof, VerificationPolicy
from messaging.verification.models import ClosedChannel, Verification, VerificationSend
from portal.accounts.batch_models import PortalInvitationBatch, PortalInvitationRow
from portal.accounts.models import (
    Portal,
    PortalDevice,
    PortalInvitation,
    PortalLogin,
    PortalNotification,
    PortalPasskey,
    PortalRole,
    PortalSending,
    PortalSession,
    PortalTerms,
    PortalText,
    PortalUser,
    PortalVisit,
)
from portal.accounts.offer_models import PortalHandover, PortalOffer
from portal.forms.models import (
    ExportPiece,
    FormDraft,
    FormPicture,
    FormStep,
    FormVersion,
    PublicForm,
    Submission,
    SubmissionExport,
    SubmissionFile,
)
from tests.automation_world import automation_rows
from tests.factories import ConnectionFactory, ContactFactory, MessageFactory

SECRETS = {
    "auth_token": "5ec2e7a0" * 4,
    "hook_secret": "h00k5ec2e7" * 3,
    "signing_token": "51671671" * 4,
    "key_hash": "ba5eba11" * 8,
    "code_hash": "c0de5ec2" * 8,
    "token_hash": "deadbeef" * 8,
    "password": "c0ffee00" * 8,
    "secret_hash": "feedface" * 8,
}
_QUESTIONS = [
    {"key": "f1", "kind": "short_text", "label": "Name"},
    {"key": "f2", "kind": "phone", "label": "Phone number", "required": True},
]


@dataclass
class World:
    """The rows of one organization; `mark` stands in every text that people wrote."""

    organization: Organization
    mark: str
    rows: dict[type[Model], Any] = field(default_factory=dict)

    def __getitem__(self, model: type[Model]) -> Any:
        return self.rows[model]


def bundles(models: Sequence[type[Model]], *, size: int = 8) -> list[Any]:
    """Put models that are neighbours together: to furnish organizations takes longer than to ask for a page."""
    parts = [models[first : first + size] for first in range(0, len(models), size)]
    return [pytest.param(part, id=f"{part[0]._meta.model_name} and {len(part) - 1} more") for part in parts]


def furnish(organization: Organization, *, owner: User, mark: str, number: str) -> World:
    """Give the organization one row of each model."""
    world = World(organization, mark)
    connection = ConnectionFactory(
        organization=organization,
        name=f"{mark} connection",
        auth_token=SECRETS["auth_token"],
        signing_token=SECRETS["signing_token"],
        hook_secret=SECRETS["hook_secret"],
        account_name=f"{mark} account",
    )
    tag = Tag.objects.create(organization=organization, name=f"{mark} tag")
    contact = ContactFactory(
        organization=organization, name=f"{mark} contact", phone=number, email=f"{mark.lower()}@example.com"
    )
    contact.tags.add(tag)
    template = Template.objects.create(organization=organization, name=f"{mark} template")
    version = TemplateVersion.objects.create(
        template=template, number=1, body=f"{mark} {{{{ name }}}}", created_by=owner
    )
    template.current = version
    template.save()
    message = MessageFactory(
        organization=organization,
        connection=connection,
        contact=contact,
        template=template,
        template_version=version,
        phone=number,
        body=f"{mark} text",
        status="failed",
        error_code=30003,
    )
    event = MessageEvent.objects.create(message=message, status="failed", source="callback", note=f"{mark} note")
    consent = record_consent(
        organization, Entry(phone=number, action="granted", source="staff", reason=f"{mark} said so"), actor=owner
    )
    broadcast = Broadcast.objects.create(
        organization=organization, name=f"{mark} broadcast", body=f"{mark} text", audience="api", connection=connection
    )
    rule = KeywordRule.objects.create(organization=organization, name=f"{mark} rule", words=["hours"], reply="9 to 5")
    member = Member.objects.get(organization=organization, user=owner)
    member.phone = number
    member.save()
    later = timezone.now() + timedelta(days=7)
    verification = Verification.objects.create(
        organization=organization,
        phone=number,
        region="DE",
        asker_kind="api",
        backend="own",
        route="twilio",
        connection=connection,
        code_hash=SECRETS["code_hash"],
        sends=1,
        network="203.0.113.0/24",
        expires_at=later,
        resend_after=later,
    )
    table = f"Name,Phone\n{mark},{number}\n".encode()
    upload = Upload.objects.create(
        organization=organization, name=f"{mark}.csv", size=len(table), created_by=owner, finished_at=timezone.now()
    )
    piece = UploadChunk.objects.create(upload=upload, number=0, data=table)
    form = PublicForm.objects.create(
        organization=organization,
        title=f"{mark} form",
        definition=_QUESTIONS,
        languages=["en"],
        password=SECRETS["password"],
        next_key=3,
    )
    form_version = FormVersion.objects.create(form=form, number=1, definition=_QUESTIONS, created_by=owner)
    PublicForm.objects.filter(pk=form.pk).update(current=form_version, state="open")
    form.refresh_from_db()
    submission = Submission.objects.create(
        form=form, version=form_version, answers={"f1": f"{mark} answer", "f2": number}, phone=number, contact=contact
    )
    export = SubmissionExport.objects.create(form=form, created_by=owner)
    rows: list[Any] = [
        organization,
        owner,
        member,
        Invitation.objects.create(
            organization=organization,
            email=f"{mark.lower()}@invited.example",
            token_hash=SECRETS["token_hash"][:-4] + mark[:4].ljust(4, "0"),
            expires_at=later,
        ),
        ApiKey.objects.create(
            organization=organization,
            name=f"{mark} key",
            prefix="hg_abc",
            key_hash=SECRETS["key_hash"][:-4] + mark[:4].ljust(4, "0"),
        ),
        audit.record(organization, actor=owner, action="contact.created", target=contact),
        connection,
        RefusedWebhook.objects.create(connection=connection, path="/x", reason="unsigned", detail=f"{mark} detail"),
        CountryPrice.objects.create(
            connection=connection, region="DE", by_type={"local": ["0.08", "0.11"]}, unit="USD"
        ),
        PriceSearch.objects.create(connection=connection, number=0, through=timezone.now()),
        ReplyAddress.objects.create(connection=connection, kind="service", sid="MG1", label=f"{mark} service"),
        Alert.objects.create(organization=organization, kind="needs_person", text=f"{mark} alert"),
        AlertMail.objects.create(organization=organization, recipient=owner),
        MailRefusal.objects.create(member=member),
        FailureCount.objects.create(organization=organization, cause="30003", minute=timezone.now(), failed=3),
        QuarterCount.objects.create(organization=organization, begins=timezone.now(), delivered=3),
        CountProgress.objects.get_or_create(pk=1)[0],
        tag,
        contact,
        AttributeDefinition.objects.create(organization=organization, key="plan", label=f"{mark} plan"),
        ErasureSecret.objects.create(organization=organization, secret=f"{mark} secret"),
        OutgoingSecret.objects.create(organization=organization, secret=f"{mark} secret"),
        TaggedInJob.objects.create(job_id=contact.pk, contact=contact),
        RetentionPolicy.objects.create(organization=organization, days=365),
        TwilioRemoval.objects.create(
            organization=organization, connection=connection, message=message, sid=f"SM{mark}", what="text"
        ),
        SavedFilter.objects.create(organization=organization, name=f"{mark} filter", wanted={"query": mark}),
        broadcast,
        Recipient.objects.create(
            broadcast=broadcast, row=1, phone=number, contact=contact, body=f"{mark} text", segments=1, state="ready"
        ),
        RecipientBatch.objects.create(broadcast=broadcast, first_row=1, count=1, recipients=[{"to": number}]),
        OptOut.objects.create(organization=organization, phone=number, source="staff"),
        consent,
        ConsentState.objects.get(record=consent),
        ConsentPolicy.objects.create(organization=organization, stop_text=f"{mark} will not write again."),
        UnsubscribeLink.objects.create(organization=organization, phone=number, token=f"{mark[:8]}link"),
        Conversation.objects.create(
            organization=organization,
            contact=contact,
            connection=connection,
            phone=number,
            last_text=f"{mark} snippet",
            unread=2,
        ),
        CannedReply.objects.create(organization=organization, name=f"{mark} reply", body=f"{mark} {{{{ name }}}}"),
        InboxPolicy.objects.create(organization=organization, text=f"{mark} is away", hours=[[0, "09:00", "17:00"]]),
        MessageMedia.objects.create(
            organization=organization,
            message=message,
            state="stored",
            content=mark.encode(),
            content_type="text/plain",
            size=6,
        ),
        form,
        form_version,
        FormStep.objects.create(form=form, number=1, definition=_QUESTIONS, what=f"{mark} step"),
        FormPicture.objects.create(
            form=form, place="logo", content=b"\x89PNG\r\n\x1a\n" + mark.encode(), content_type="image/png", size=14
        ),
        submission,
        FormDraft.objects.create(
            form=form,
            version=form_version,
            phone=number,
            secret_hash=SECRETS["secret_hash"][:-4] + mark[:4].ljust(4, "0"),
            expires_at=later,
        ),
        SubmissionFile.objects.create(
            submission=submission, key="f3", name=f"{mark}.txt", kind="txt", size=len(mark), content=mark.encode()
        ),
        export,
        ExportPiece.objects.create(export=export, number=0, data=mark.encode()),
        rule,
        RuleAnswer.objects.create(rule=rule, phone=number, answered_at=timezone.now()),
        template,
        version,
        message,
        event,
        IdempotencyKey.objects.create(
            organization=organization, key=f"{mark} key", body_hash="0" * 64, message=message
        ),
        Callback.objects.create(
            connection=connection, kind="status", message_id=message.pk, params={"Body": mark}, checked_with="x"
        ),
        Job.objects.create(organization=organization, kind="test", note=f"{mark} note", state="done"),
        upload,
        account := CreditAccount.objects.create(organization=organization, balance=5),
        CreditEntry.objects.create(account=account, kind="top_up", amount=5, balance_after=5, note=f"{mark} note"),
        PlatformPolicy.objects.create(organization=organization, signature=f"{mark} sign"[:20]),
        # The installation's, whoever is asked about first.
        PlatformDestination.objects.get_or_create(destination="domestic")[0],
        SendingPolicy.objects.create(organization=organization, blocked_regions=["KP"]),
        DailyUse.objects.create(organization=organization, day=later.date(), used=7),
        Pace.objects.create(connection=connection, sender=f"{mark[:5]}Sender", mps=5),
        VerificationPolicy.objects.create(organization=organization, number=4, regions=["FR"]),
        LimitCount.objects.create(organization=organization, scope="day", at=timezone.now(), sent=7),
        PausedPrefix.objects.create(
            organization=organization, prefix="+4915112", region="DE", reason="growth", sent=9, approved=0, until=later
        ),
        SpentProof.objects.get_or_create(proof="0" * 64, defaults={"expires_at": later})[0],
        ContactImport.objects.create(
            organization=organization,
            upload=upload,
            file_name=upload.name,
            file_sha256="0" * 64,
            inspection=inspect(upload).as_json(),
            created_by=owner,
        ),
        ImportedNumber.objects.create(upload=upload, phone=number, row=2),
        piece,
        verification,
        VerificationSend.objects.create(verification=verification, channel="sms", message=message, outcome="sent"),
        ClosedChannel.objects.create(connection=connection, service_sid="VA1", channel="whatsapp", error_code=60223),
        WorkerPulse.objects.get_or_create(name="worker", defaults={"host": "h", "pid": 1, "seen_at": timezone.now()})[
            0
        ],
    ]
    rows += automation_rows(organization, owner=owner, mark=mark, contact=contact, message=message)
    rows += _portal(organization, owner=owner, mark=mark, number=number, message=message, contact=contact, offered=form)
    world.rows = {type(row): row for row in rows}
    world.rows[PublicForm] = form
    return world


def _portal(
    organization: Organization, *, owner: User, mark: str, number: str, message: Any, contact: Any, offered: Any
) -> list[Any]:
    """Return a portal of the organization with one row of everything that belongs to one."""
    later = timezone.now() + timedelta(days=7)
    secret = {name: f"{value[:-4]}{mark[:4].ljust(4, '0')}" for name, value in SECRETS.items()}
    form = PublicForm.objects.create(
        organization=organization, title=f"{mark} portal", serves="portal", definition=[], languages=["en"]
    )
    portal = Portal.objects.create(
        organization=organization, form=form, name=f"{mark} portal", slug=f"{mark.lower()}-portal", is_on=True
    )
    terms = PortalTerms.objects.create(portal=portal, number=1, texts={"en": f"{mark} terms"}, created_by=owner)
    Portal.objects.filter(pk=portal.pk).update(terms=terms)
    portal.refresh_from_db()
    role = PortalRole.objects.create(portal=portal, name=f"{mark} drivers")
    person = PortalUser.objects.create(
        portal=portal, phone=number, region="DE", status="active", role=role, name=f"{mark} driver", contact=contact,
        terms=terms, terms_at=timezone.now(), password=SECRETS["password"], registered_at=timezone.now(),
    )  # fmt: skip
    device = PortalDevice.objects.create(user=person, token_hash=secret["token_hash"], label=f"{mark} browser")
    notification = PortalNotification.objects.create(
        portal=portal, audience="all", text=f"{mark} notice", created_by=owner
    )
    batch = PortalInvitationBatch.objects.create(
        portal=portal, source="contacts", label=f"{mark} many", state="checked"
    )
    return [
        portal,
        terms,
        role,
        person,
        batch,
        PortalInvitationRow.objects.create(batch=batch, row=1, phone=number, name=f"{mark} row"),
        device,
        notification,
        PortalText.objects.create(portal=portal, kind="approved", language="en", body=f"{mark} welcomes you."),
        PortalInvitation.objects.create(
            portal=portal, user=person, token_hash=secret["token_hash"], source="hand", expires_at=later
        ),
        PortalVisit.objects.create(
            portal=portal, secret_hash=secret["secret_hash"], phone=number, expires_at=later, user=person
        ),
        PortalSession.objects.create(user=person, device=device, token_hash=secret["token_hash"], expires_at=later),
        PortalLogin.objects.create(portal=portal, user=person, how="code", outcome="in", device=f"{mark} browser"),
        PortalPasskey.objects.create(
            user=person, credential_id=f"{mark} credential", credential=mark.encode(), label=f"{mark} passkey"
        ),
        PortalSending.objects.create(
            portal=portal, user=person, kind="approved", message=message, notification=notification
        ),
        PortalOffer.objects.create(portal=portal, form=offered),
        PortalHandover.objects.create(pk=uuid.uuid4(), user=person, form=offered, expires_at=later),
    ]
