"""What a received message means for consent: STOP, START, HELP, and the YES that somebody was asked for."""

from integrations.connections.models import Connection
from integrations.organizations.models import Organization
from integrations.phones import Phone
from messaging.contacts.models import Contact
from messaging.sending.models import Message

from .answering import answer, who_answers
from .blocking import find_block
from .carried import start_for_all, stop_for_all
from .confirming import confirm
from .keywords import Asked, as_seen, read_keyword
from .models import ConsentPolicy, OptOut
from .opt_outs import opt_in, start_opt_out
from .policy import policy_of

KEYWORD = OptOut.Source.KEYWORD


def hear(
    organization: Organization,
    *,
    connection: Connection,
    message: Message,
    phone: Phone,
    contact: Contact | None,
    ours: str,
    service: str = "",
    opt_out_type: str = "",
) -> str:
    """Act on the keyword that a received message consists of; return stop, start, help, confirmed, or "" for none.

    Call it in the transaction that stored the message. `ours` is the number that was written to, `service` the
    Messaging Service it belongs to, `opt_out_type` what Twilio's Advanced Opt-Out found. What is to be answered is
    queued; where Twilio answers itself, nothing is.
    """
    policy = policy_of(organization)
    is_confirmed = confirm(organization, policy=policy, phone=phone.e164, message=message)
    asked = read_keyword(message.body, policy=policy, to=ours, opt_out_type=opt_out_type)
    if asked is None:
        return "confirmed" if is_confirmed else ""
    rule = who_answers(policy, asked=asked, ours=ours, service=service, opt_out_type=opt_out_type)
    twilio_scope = (service or ours)[:34] if rule.is_twilio else ""
    evidence = {"message": str(message.pk)}
    is_new = False
    if asked.kind == "stop":
        stop_for_all(connection, phone=phone.e164, keyword=as_seen(message.body))
        is_new = _stop(
            organization,
            policy=policy,
            message=message,
            senders=[sender for sender in (service, ours) if sender],
            twilio_scope=twilio_scope,
            evidence=evidence,
        )
    elif asked.kind == "start":
        start_for_all(connection, phone=phone.e164)
        is_new = _start(organization, asked=asked, message=message, ours=ours, service=service)
    elif asked.kind == "help":
        # Twilio gives no help to who opted out, and neither do we: they asked for silence.
        is_new = find_block(organization, phone=phone.e164, sender=service or ours, purpose="transactional") is None
    if is_new and not rule.is_twilio:
        answer(
            organization,
            kind=asked.kind,
            policy=policy,
            connection=connection,
            phone=phone,
            contact=contact,
            ours=ours,
        )
    return "confirmed" if is_confirmed else asked.kind


def _stop(
    organization: Organization,
    *,
    policy: ConsentPolicy,
    message: Message,
    senders: list[str],
    twilio_scope: str,
    evidence: dict[str, str],
) -> bool:
    is_narrow = policy.scope == ConsentPolicy.Scope.SENDER and bool(senders)
    began = False
    for sender in senders if is_narrow else [""]:
        _, is_new = start_opt_out(
            organization,
            phone=message.phone,
            channel=message.channel,
            source=KEYWORD,
            scope=OptOut.Scope.SENDER if is_narrow else OptOut.Scope.ORGANIZATION,
            sender=sender[:34],
            keyword=as_seen(message.body)[:40],
            twilio_scope=twilio_scope,
            evidence=evidence,
        )
        began = began or is_new
    return began


def _start(organization: Organization, *, asked: Asked, message: Message, ours: str, service: str) -> bool:
    ended = 0
    # What was answered, and nothing else: who stopped another sender of the connection did not ask for that one again.
    for sender in sorted({service, ours} - {""}) or [""]:
        ended += opt_in(
            organization,
            phone=message.phone,
            channel=message.channel,
            source=KEYWORD,
            sender=sender,
            undoes_twilios=asked.is_twilios,
            evidence={"message": str(message.pk)},
        )
    return ended > 0
