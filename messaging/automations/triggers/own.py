"""The triggers of this wing, in the order in which the builder offers them."""

from messaging.automations.base import Trigger

from .api_event import ApiEventTrigger
from .contacts import ContactChanged, ContactCreated, ContactOptedOut, ContactTagged
from .dates import DateTrigger
from .messages import MessageDelivered, MessageFailed, MessageReceived
from .schedule import ScheduleTrigger
from .threshold import ThresholdTrigger
from .webhook import WebhookTrigger

TRIGGERS: tuple[Trigger, ...] = (
    WebhookTrigger(),
    ContactCreated(),
    ContactTagged(),
    ContactChanged(),
    MessageReceived(),
    MessageDelivered(),
    MessageFailed(),
    ContactOptedOut(),
    DateTrigger(),
    ScheduleTrigger(),
    ApiEventTrigger(),
    ThresholdTrigger(),
)
