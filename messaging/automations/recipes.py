"""Recipes: drafts to start from, with our own words. What only the organization can know is left to fill in.

A recipe's templates are written when it is used, and not before.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction

from integrations.organizations.models import Organization, User
from messaging.templates import wording
from messaging.templates.models import Template
from messaging.templates.wording import WordingProblem

from .flow import Flow, NodeSpec
from .models import Automation
from .publishing import AutomationProblem, create

TRIGGER = ""
Ids = Mapping[str, str]


@dataclass(frozen=True)
class Recipe:
    """`templates` are texts by name; `flow` makes the draft of their ids; `to_fill_in` says what is left and where.

    Its keys are node ids, "" for the trigger: whatever is not ready elsewhere is a mistake of ours.
    """

    key: str
    title: str
    text: str
    icon: str
    flow: Callable[[Ids], Flow]
    to_fill_in: Mapping[str, str]
    templates: Mapping[str, str] = field(default_factory=dict)

    @property
    def to_do(self) -> list[str]:
        """What is left to do, in order."""
        return list(self.to_fill_in.values())

    @property
    def then(self) -> str:
        """Return what to do next, in one sentence."""
        return f"Next: {self.to_do[0][:1].lower()}{self.to_do[0][1:]}" if self.to_do else "Try it, then publish it."


def every_recipe() -> list[Recipe]:
    """Return all recipes."""
    return list(_RECIPES.values())


def find(key: str) -> Recipe | None:
    """Return a recipe by its key."""
    return _RECIPES.get(key)


def use(recipe: Recipe, organization: Organization, *, name: str, actor: User, ip: str = "") -> Automation:
    """Make a draft of a recipe, and its templates; raise AutomationProblem."""
    with transaction.atomic():
        ids = {
            title: str(_template(organization, title, body, actor=actor, ip=ip).pk)
            for title, body in recipe.templates.items()
        }
        return create(organization, name=name, flow=recipe.flow(ids), actor=actor, ip=ip)


def _template(organization: Organization, title: str, body: str, *, actor: User, ip: str) -> Template:
    """Return the template of this name and text, under the next free name where another text has it."""
    name = title
    for number in range(2, 30):
        known = wording.find_by_name(organization, name=name)
        if known is None:
            try:
                return wording.create_template(organization, name=name, body=body, actor=actor, ip=ip)
            except WordingProblem as problem:
                raise AutomationProblem(problem.detail) from problem
        if known.current is not None and known.current.body == body:
            return known
        name = f"{title} {number}"
    raise AutomationProblem(f"There are too many templates called “{title}”. Archive some, then use the recipe.")


def _step(node_id: str, kind: str, settings: dict[str, Any], **branches: tuple[NodeSpec, ...]) -> NodeSpec:
    return NodeSpec(node_id, kind, settings, branches)


def _orders(ids: Ids) -> Flow:
    def send(node_id: str, template: str, **more: str) -> tuple[NodeSpec]:
        values = {"order": '{{ trigger.order_id | "" }}', **more}
        said = {"to": "contact", "template": ids[template], "values": values, "purpose": "transactional"}
        return (_step(node_id, "send_sms", said),)

    def is_status(value: str) -> dict[str, Any]:
        return {"groups": [[{"what": "trigger.status", "type": "text", "op": "is", "value": value}]]}

    shipped = send("n2", "Order is on its way", link='{{ trigger.tracking_url | "" }}')
    delivered, received = send("n4", "Order was delivered"), send("n5", "Order received")
    other = _step("n3", "branch", is_status("delivered"), yes=delivered, no=received)
    nodes = (_step("n1", "branch", is_status("shipped"), yes=shipped, no=(other,)),)
    return Flow("webhook", {"phone_path": "phone", "required": "order_id\nstatus"}, nodes, 5)


def _alert(ids: Ids) -> Flow:
    text = (
        'Alert: {{ trigger.threshold.subject | "a sensor" }} reads {{ trigger.threshold.value }}. Please look after it.'
    )
    send = {"to": "typed", "text": text, "purpose": "transactional"}
    return Flow("threshold", {"direction": "above", "pause_minutes": 30}, (_step("n1", "send_sms", send),), 1)


def _appointment(ids: Ids) -> Flow:
    send = {
        "to": "contact",
        "template": ids["Appointment reminder"],
        "values": {"when": '{{ trigger.date | "tomorrow" }}'},
        "purpose": "transactional",
    }
    begins = {"amount": 24, "unit": "hours", "direction": "before"}
    return Flow("contact_date", begins, (_step("n1", "send_sms", send),), 1)


def _two_factor(ids: Ids) -> Flow:
    tell = {"method": "POST", "what": "all"}
    ways = {"approved": (_step("n2", "webhook_out", tell),), "not_approved": (_step("n3", "webhook_out", tell),)}
    return Flow("api_event", {"name": "login"}, (_step("n1", "verify", {"channel": "sms"}, **ways),), 3)


def _welcome(ids: Ids) -> Flow:
    send = {"to": "contact", "template": ids["Welcome"], "purpose": "transactional"}
    wait = {"how": "duration", "amount": 1, "unit": "minutes"}
    return Flow("form_submitted", {}, (_step("n1", "wait", wait), _step("n2", "send_sms", send)), 2)


def _win_back(ids: Ids) -> Flow:
    send = {"to": "contact", "template": ids["We could not reach you"], "purpose": "transactional"}
    # Many messages go to numbers that are no contact: these cannot be tagged, and are written to all the same.
    is_contact = {"groups": [[{"what": "contact.phone", "type": "phone", "op": "filled", "value": ""}]]}
    tag = _step("n3", "tag", {"what": "add", "new": "Delivery failed"})
    return Flow(
        "message_failed",
        {},
        (
            _step("n1", "wait", {"how": "duration", "amount": 1, "unit": "days"}),
            _step("n2", "branch", is_contact, yes=(tag,)),
            _step("n4", "send_sms", send),
        ),
        4,
    )


_ALL = (
    Recipe(
        "orders",
        "Order and delivery notifications",
        "Your shop calls a webhook; customers read that an order came in, is on its way, or was delivered.",
        "local_shipping",
        _orders,
        {
            TRIGGER: "Open the trigger, make its secret, and let your shop send order_id, status (received, shipped, "
            "delivered) and phone to its address.",
        },
        {
            "Order received": 'Thank you! We have your order {{ order | "" }} and tell you when it leaves.',
            "Order is on its way": 'Your order {{ order | "" }} is on its way: {{ link | "" }}',
            "Order was delivered": 'Your order {{ order | "" }} was delivered. Enjoy it!',
        },
    ),
    Recipe(
        "threshold",
        "Alert threshold",
        "A machine reports a number; when it crosses a limit, people on duty are told once, not a hundred times.",
        "monitoring",
        _alert,
        {TRIGGER: "Say which number is watched, and its limit.", "n1": "Write whose phones shall ring."},
    ),
    Recipe(
        "appointment",
        "Appointment reminder",
        "A day before the date that a contact carries, they are reminded of it.",
        "event_upcoming",
        _appointment,
        {TRIGGER: "Choose the attribute that holds the appointment; add one to your contacts if there is none."},
        {"Appointment reminder": 'Hello {{ first_name | "there" }}, we see you {{ when | "tomorrow" }}. '
                                 "Cannot come? Just answer this text."},
    ),
    Recipe(
        "two_factor",
        "Two-factor login",
        "Your application says that somebody logs in; they get a code, and your application hears what came of it.",
        "lock",
        _two_factor,
        {
            "n2": "Write the address of your application that hears of success. Calls to it are signed: make the "
            "secret under Settings, Outgoing webhooks.",
            "n3": "And the one that hears of failure.",
        },
    ),
    Recipe(
        "welcome",
        "Welcome after a form",
        "Whoever sends in a form gets a text a minute later.",
        "waving_hand",
        _welcome,
        {TRIGGER: "Choose the form."},
        {"Welcome": 'Hello {{ first_name | "there" }}, thank you for writing to {{ organization }}. '
                    "We are glad that you are here."},
    ),
    Recipe(
        "win_back",
        "Win back after a failed delivery",
        "A message did not arrive: a day later the contact is marked, and written to once more.",
        "undo",
        _win_back,
        {},
        {"We could not reach you": 'Hello {{ first_name | "there" }}, a message from us did not reach you. '
                                   "Answer this text, and {{ organization }} writes again."},
    ),
)  # fmt: skip
_RECIPES = {recipe.key: recipe for recipe in _ALL}
