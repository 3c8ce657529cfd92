"""A virtual phone writes to one of our numbers: the inbound webhook, its answer, and the keywords."""

from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

from .callback_urls import read_callback_url
from .callbacks import Answer
from .errors import ControlError
from .keywords import obey, read_keyword
from .media import add_medium, content_type_of
from .model import Account, Message, Number, Service, Text
from .outcomes import Outcome
from .progress import plan
from .recipients import read_recipient, region_of
from .segments import count_segments
from .texts import put_text
from .wire import new_sid
from .world import World

_VALIDITY = 36_000


@dataclass(slots=True)
class Received:
    """What came of an inbound message; `webhook` is filled in once the webhook was answered."""

    message: Message
    keyword: str
    automatic_answer: str
    webhook: dict[str, Any] | None


def receive(
    world: World, account: Account, *, phone: str, to: str, body: str, media: list[str | tuple[str, bytes]]
) -> tuple[Received, str]:
    """Store an inbound message and obey its keyword; returns it and the webhook's address (empty: there is none)."""
    number = account.numbers.get(to)
    if number is None:
        raise ControlError({"to": "No number or short code of this account. Alphanumeric senders take no answers."})
    service = account.services.get(number.service_sid)
    now = world.now()
    account.message_count += 1
    sid = new_sid("MM" if media else "SM")
    message = Message(
        sid=sid,
        account=account,
        number=account.message_count,
        to=to,
        body=body,
        direction="inbound",
        status="received",
        created=now,
        updated=now,
        from_=phone,
        sent=now,
        service_sid=None if service is None else service.sid,
        segments=count_segments(body),
        media=tuple(
            item if isinstance(item, str) else add_medium(account, sid, content_type=item[0], content=item[1], now=now)
            for item in media
        ),
        price=None,
    )
    world.store(message, phone=phone)
    account.counts["received"] += 1
    keyword = read_keyword(number, body)
    answer = obey(account, number, phone, keyword, service=service) if keyword else ""
    if answer:
        put_text(account, phone, Text(to, answer, now))
    return Received(message, keyword, answer, None), _webhook_url(number, service)


def _webhook_url(number: Number, service: Service | None) -> str:
    if service is None or service.use_inbound_webhook_on_number:
        return number.sms_url
    return service.inbound_request_url or ""


async def call_webhook(world: World, received: Received, url: str) -> None:
    """Post the inbound webhook, then the fallback where it fails, and let the TwiML's answer appear on the phone."""
    message = received.message
    account = message.account
    number = account.numbers[message.to]
    service = account.services.get(number.service_sid)
    params = inbound_params(message)
    if received.keyword and service is not None and service.advanced_opt_out:
        params["OptOutType"] = received.keyword
    fallback = number.sms_fallback_url if service is None else service.fallback_url or ""
    result = await _ask(world, account, url, params)
    received.webhook = {"url": url, **result}
    if result["error_code"] and fallback:
        params |= {"ErrorCode": str(result["error_code"]), "ErrorUrl": url}
        result = await _ask(world, account, fallback, params)
        received.webhook["fallback"] = {"url": fallback, **result}
    for text in result["messages"]:
        _send_reply(world, message, text)


async def _ask(world: World, account: Account, url: str, params: dict[str, str]) -> dict[str, Any]:
    target = read_callback_url(url)
    if target is None:
        return {"status": None, "error_code": 11205, "messages": []}
    answer = await world.courier.ask(account, target, params)
    error_code, texts = read_twiml(answer)
    return {"status": answer.status, "error_code": error_code, "messages": texts}


def inbound_params(message: Message) -> dict[str, str]:
    """Build the form of an inbound webhook; what Twilio does not know of a place is there, and empty."""
    from_, to = message.from_ or "", message.to
    params = {
        "AccountSid": message.account.sid,
        "ApiVersion": "2010-04-01",
        "Body": message.body,
        "From": from_,
        "MessageSid": message.sid,
        "NumMedia": str(len(message.media)),
        "NumSegments": str(message.segments),
        "SmsMessageSid": message.sid,
        "SmsSid": message.sid,
        "SmsStatus": "received",
        "To": to,
    }
    for side, number in (("From", from_), ("To", to)):
        params |= {f"{side}City": "", f"{side}State": "", f"{side}Zip": ""}
        params[f"{side}Country"] = region_of(number) if number.startswith("+") else "US"
    if message.service_sid:
        params["MessagingServiceSid"] = message.service_sid
    for index, url in enumerate(message.media):
        params[f"MediaUrl{index}"] = url
        params[f"MediaContentType{index}"] = content_type_of(message.account, url)
    return params


def read_twiml(answer: Answer) -> tuple[int, list[str]]:
    """Read a webhook's answer: Twilio's code for what is wrong with it (0: nothing), and the texts to send."""
    if answer.failure:
        return (11205 if answer.failure == "ct" else 11200), []
    if not answer.body.strip():
        return 0, []
    if "xml" not in answer.content_type:
        return 12300, []
    # Python's expat limits entity expansion, and the answer was cut at 64 kB.
    try:
        root = ElementTree.fromstring(answer.body)  # noqa: S314 - see above
    except ElementTree.ParseError:
        return 12100, []
    if root.tag != "Response":
        return 12100, []
    texts = []
    for element in root.iter("Message"):
        body = element.find("Body")
        text = "".join((element if body is None else body).itertext()).strip()
        if text:
            texts.append(text[:1600])
    return 0, texts


def _send_reply(world: World, inbound: Message, text: str) -> None:
    """Send the text of a TwiML answer back, as a message of its own."""
    account = inbound.account
    recipient = read_recipient(inbound.from_ or "")
    now = world.now()
    account.message_count += 1
    reply = Message(
        sid=new_sid("SM"),
        account=account,
        number=account.message_count,
        to=inbound.from_ or "",
        body=text,
        direction="outbound-reply",
        status="queued",
        created=now,
        updated=now,
        from_=inbound.to,
        sender=inbound.to,
        service_sid=inbound.service_sid,
        segments=count_segments(text),
        calling_code=recipient.calling_code if recipient else 0,
    )
    is_blocked = (inbound.to, reply.to) in account.blocked
    plan(reply, outcome=Outcome("failed", 21610) if is_blocked else None, validity=_VALIDITY)
    world.store(reply, phone=reply.to)
    world.progress.begin(reply)
