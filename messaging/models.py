"""The wing's models, one room after the other."""

from messaging.alerts.models import Alert, AlertMail, FailureCount, MailRefusal
from messaging.automations.models import Automation, AutomationDraft, AutomationVersion, Run, RunMessage, RunStep
from messaging.automations.trigger_models import (
    AutomationHook,
    HookCall,
    HookRefusal,
    HookSample,
    SeenEvent,
    ThresholdState,
)
from messaging.broadcasts.models import Broadcast, Recipient, RecipientBatch
from messaging.consent.models import ConsentPolicy, ConsentRecord, ConsentState, OptOut, UnsubscribeLink
from messaging.contact_files.models import ContactImport, ImportedNumber
from messaging.contacts.models import AttributeDefinition, Contact, ErasureSecret, SavedFilter, Tag, TaggedInJob
from messaging.csv_files.models import Upload, UploadChunk
from messaging.dashboard.models import CountProgress, QuarterCount
from messaging.happenings.models import Happening, Listener
from messaging.inbound.models import MessageMedia
from messaging.inbox.models import CannedReply, Conversation, InboxPolicy, KeywordRule, RuleAnswer
from messaging.jobs.models import Job
from messaging.outgoing.models import OutgoingSecret
from messaging.pricing.models import CountryPrice, PriceSearch
from messaging.receipts.models import Callback
from messaging.retention.models import RetentionPolicy, TwilioRemoval
from messaging.sending.limit_models import DailyUse, Pace, SendingPolicy
from messaging.sending.models import IdempotencyKey, Message, MessageEvent, WorkerPulse
from messaging.templates.models import Template, TemplateVersion
from messaging.verification.limit_models import LimitCount, PausedPrefix, SpentProof, VerificationPolicy
from messaging.verification.models import ClosedChannel, Verification, VerificationSend

__all__ = [
    "Alert",
    "AlertMail",
    "AttributeDefinition",
    "Automation",
    "AutomationDraft",
    "AutomationHook",
    "AutomationVersion",
    "Broadcast",
    "Callback",
    "CannedReply",
    "ClosedChannel",
    "ConsentPolicy",
    "ConsentRecord",
    "ConsentState",
    "Contact",
    "ContactImport",
    "Conversation",
    "CountProgress",
    "CountryPrice",
    "DailyUse",
    "ErasureSecret",
    "FailureCount",
    "Happening",
    "HookCall",
    "HookRefusal",
    "HookSample",
    "IdempotencyKey",
    "ImportedNumber",
    "InboxPolicy",
    "Job",
    "KeywordRule",
    "LimitCount",
    "Listener",
    "MailRefusal",
    "Message",
    "MessageEvent",
    "MessageMedia",
    "OptOut",
    "OutgoingSecret",
    "Pace",
    "PausedPrefix",
    "PriceSearch",
    "QuarterCount",
    "Recipient",
    "RecipientBatch",
    "RetentionPolicy",
    "RuleAnswer",
    "Run",
    "RunMessage",
    "RunStep",
    "SavedFilter",
    "SeenEvent",
    "SendingPolicy",
    "SpentProof",
    "Tag",
    "TaggedInJob",
    "Template",
    "TemplateVersion",
    "ThresholdState",
    "TwilioRemoval",
    "UnsubscribeLink",
    "Upload",
    "UploadChunk",
    "Verification",
    "VerificationPolicy",
    "VerificationSend",
    "WorkerPulse",
]
