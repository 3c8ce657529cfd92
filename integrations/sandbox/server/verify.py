"""Verifications: start, send again, check, approve, cancel (verify.twilio.com/v2).

The limits are Twilio's: five sends and five checks, ten minutes to live
(https://www.twilio.com/docs/verify/api/rate-limits-and-timeouts).
"""

import hmac
import secrets
from typing import Any

from aiohttp import web

from .door import Call
from .errors import ApiError
from .model import Account, Text, Verification, VerifyService
from .paging import list_with_meta
from .recipients import Recipient, is_landline, read_recipient, region_of
from .texts import put_text
from .verify_services import HOST, find_service
from .wire import iso8601, json_response, new_sid
from .world import World

SENDS_AT_MOST = 5
CHECKS_AT_MOST = 5
_SENDER = "VERIFY"
_SANCTIONED = {"CU", "IR", "SY"}
_REMEMBERED_AT_MOST = 50_000


def verification_json(account: Account, verification: Verification) -> dict[str, Any]:
    """Return a verification as the API shows it: never with its code."""
    return {
        **_common_json(account, verification),
        "lookup": {},
        "send_code_attempts": verification.sends,
        "sna": None,
        "url": f"{HOST}/{verification.service.sid}/Verifications/{verification.sid}",
    }


def _common_json(account: Account, verification: Verification) -> dict[str, Any]:
    return {
        "sid": verification.sid,
        "service_sid": verification.service.sid,
        "account_sid": account.sid,
        "to": verification.to,
        "channel": verification.channel,
        "status": verification.status,
        "valid": verification.status == "approved",
        "amount": None,
        "payee": None,
        "date_created": iso8601(verification.created),
        "date_updated": iso8601(verification.updated),
    }


def _answer(call: Call, verification: Verification, *, status: int = 200) -> web.Response:
    return json_response(verification_json(call.account, verification), status=status)


# ---- start


def start_verification(call: Call) -> web.Response:
    """Send a code, or the same code again while the verification is pending."""
    service, account, form = find_service(call), call.account, call.form
    channel = form.get("Channel", "").strip().lower()
    recipient = _check_start(account, service, to=form.get("To", "").strip(), channel=channel)
    code = _custom_code(service, form.get("CustomCode"))
    now = call.world.now()
    pending = _pending(call, service, recipient.e164)
    if pending is not None:
        window = account.dials.settings["verify"]["min_interval_ms"] / 1000
        if window and now - pending.last_start < window:
            raise ApiError(60212)
        if pending.status == "max_attempts_reached":
            raise ApiError(60202)
        if len(pending.sends) >= SENDS_AT_MOST:
            raise ApiError(60203)
        verification = pending
        verification.code = code or verification.code
    else:
        verification = Verification(
            sid=new_sid("VE"),
            service=service,
            to=recipient.e164,
            channel=channel,
            code=code or "".join(secrets.choice("0123456789") for _ in range(service.code_length)),
            created=now,
            updated=now,
            expires=now + account.dials.settings["verify"]["ttl_s"],
        )
        _remember(account, verification)
    channel = "sms" if channel == "auto" else channel
    verification.channel, verification.updated, verification.last_start = channel, now, now
    verification.sends.append({"time": iso8601(now) or "", "channel": channel.upper(), "attempt_sid": new_sid("VL")})
    account.counts["verifications_sent"] += 1
    name = form.get("CustomFriendlyName", "").strip() or service.friendly_name
    put_text(account, verification.to, Text(_SENDER, code_text(verification, name=name), now))
    return _answer(call, verification, status=201)


def code_text(verification: Verification, *, name: str) -> str:
    """Write what the phone receives: a text, or for a call what the voice says."""
    if verification.channel == "call":
        return f"Phone call from {name}: your code is {verification.code}."
    return f"{verification.code} is your code for {name}. Share it with nobody; it works for 10 minutes."


def list_attempts(call: Call) -> web.Response:
    """Answer the codes that were sent, newest first, and how each fared (https://www.twilio.com/docs/verify/api/attempts).

    A text to a virtual phone has arrived; to a number with an outcome of its own it fares as that says.
    """
    query = call.query
    service, sid = query.get("VerifyServiceSid", ""), query.get("VerificationSid", "")
    since, until = query.get("DateCreatedAfter", ""), query.get("DateCreatedBefore", "")
    found = [
        _attempt_json(call.account, verification, send)
        for verification in reversed(call.account.verifications.values())
        if (not service or verification.service.sid == service) and (not sid or verification.sid == sid)
        for send in reversed(verification.sends)
        if (not since or send["time"] >= since) and (not until or send["time"] < until)
    ]
    return list_with_meta(call, found, key="attempts", as_json=lambda attempt: attempt)


def _attempt_json(account: Account, verification: Verification, send: dict[str, str]) -> dict[str, Any]:
    outcome = account.dials.outcomes.get(verification.to)
    channel = send["channel"].lower()
    status = (outcome.status if outcome is not None else "") or "delivered"
    said: dict[str, Any] = {"call_status": "completed"} if channel == "call" else {"message_status": status}
    if outcome is not None and outcome.status and outcome.error_code is not None and channel != "call":
        said["error_code"] = str(outcome.error_code)
    is_approved = verification.status == "approved"
    return {
        "sid": send["attempt_sid"],
        "account_sid": account.sid,
        "service_sid": verification.service.sid,
        "verification_sid": verification.sid,
        "date_created": send["time"],
        "date_updated": send["time"],
        "conversion_status": "converted" if is_approved else "unconverted",
        "channel": channel,
        "price": None,
        "channel_data": {"verification_sid": verification.sid, "to": verification.to, **said},
        "url": f"https://verify.twilio.com/v2/Attempts/{send['attempt_sid']}",
    }


def _check_start(account: Account, service: VerifyService, *, to: str, channel: str) -> Recipient:
    if channel not in {"sms", "call", "email", "whatsapp", "sna", "auto"}:
        raise ApiError(60200, detail="Channel")
    if channel == "email":
        raise ApiError(60217)
    if channel in {"whatsapp", "sna"}:
        raise ApiError(60223)
    recipient = read_recipient(to)
    if recipient is None:
        raise ApiError(60200, detail="To")
    outcome = account.dials.outcomes.get(recipient.e164)
    if outcome is not None and outcome.refuses_verification:
        raise ApiError(outcome.error_code or 60200)
    # +852, +853 and +886 are calling codes of their own and not meant by this rule.
    if recipient.calling_code == 86 and not account.is_china_vetted:
        raise ApiError(60220)
    if region_of(recipient.e164) in _SANCTIONED:
        raise ApiError(60605)
    if channel != "call" and service.lookup_enabled and service.skip_sms_to_landlines and is_landline(recipient.e164):
        raise ApiError(60205)
    return recipient


def _custom_code(service: VerifyService, code: str | None) -> str | None:
    if code is None:
        return None
    if not service.custom_code_enabled:
        raise ApiError(60204)
    if not 4 <= len(code) <= 10 or not code.isalnum():
        raise ApiError(60200, detail="CustomCode")
    return code


def _remember(account: Account, verification: Verification) -> None:
    account.verifications[verification.sid] = verification
    account.pending_verifications[verification.service.sid, verification.to] = verification
    if len(account.verifications) > _REMEMBERED_AT_MOST:
        oldest = account.verifications.pop(next(iter(account.verifications)))
        _settle(account, oldest, oldest.status)


# ---- state


def _pending(call: Call, service: VerifyService, to: str) -> Verification | None:
    """Return the verification of a number that can still be sent again or checked."""
    verification = call.account.pending_verifications.get((service.sid, to))
    if verification is not None:
        _expire(call.account, verification, world=call.world)
        if verification.status not in {"pending", "max_attempts_reached"}:
            return None
    return verification


def _expire(account: Account, verification: Verification, *, world: World) -> None:
    if verification.status in {"pending", "max_attempts_reached"} and world.now() >= verification.expires:
        _settle(account, verification, "expired")


def _settle(account: Account, verification: Verification, status: str) -> None:
    verification.status = status
    key = (verification.service.sid, verification.to)
    if account.pending_verifications.get(key) is verification:
        del account.pending_verifications[key]


def _find(call: Call, service: VerifyService) -> Verification:
    """Return the verification in the path, named by its SID or, while it is pending, by the number."""
    name = call.path["sid"]
    if name.startswith("+"):
        verification = _pending(call, service, name)
    else:
        verification = call.account.verifications.get(name)
    if verification is None or verification.service is not service:
        raise call.not_found()
    _expire(call.account, verification, world=call.world)
    return verification


# ---- fetch, approve, cancel, check


def fetch_verification(call: Call) -> web.Response:
    """Answer a verification; finished ones stay visible by their SID."""
    return _answer(call, _find(call, find_service(call)))


def update_verification(call: Call) -> web.Response:
    """Approve or cancel a verification that is not finished."""
    verification = _find(call, find_service(call))
    status = call.form.get("Status", "")
    if status not in {"approved", "canceled"}:
        raise ApiError(60200, detail="Status")
    if verification.status not in {"pending", "max_attempts_reached"}:
        raise call.not_found()
    verification.updated = call.world.now()
    _settle(call.account, verification, status)
    return _answer(call, verification)


def check_verification(call: Call) -> web.Response:
    """Compare a code. A wrong one is a good answer that says pending and not valid."""
    service, account, form = find_service(call), call.account, call.form
    code, to, sid = form.get("Code", "").strip(), form.get("To", "").strip(), form.get("VerificationSid", "").strip()
    if not to and not sid:
        raise ApiError(60221)
    if not code:
        raise ApiError(60200, detail="Code")
    recipient = read_recipient(to)
    if sid:
        verification = account.verifications.get(sid)
        if verification is not None:
            verification = _pending(call, service, verification.to) if verification.service is service else None
    else:
        verification = _pending(call, service, recipient.e164 if recipient else to)
    if verification is None or (sid and verification.sid != sid):
        raise call.not_found()
    is_exhausted_gone = account.dials.settings["verify"]["exhausted"] == "20404"
    if verification.checks >= CHECKS_AT_MOST:
        raise call.not_found() if is_exhausted_gone else ApiError(60202)
    verification.checks += 1
    verification.updated = call.world.now()
    account.counts["verifications_checked"] += 1
    is_right = hmac.compare_digest(code.encode(), verification.code.encode())
    body = _common_json(account, verification)
    if is_right:
        _settle(account, verification, "approved")
        account.counts["verifications_approved"] += 1
        body |= {"status": "approved", "valid": True}
    elif verification.checks >= CHECKS_AT_MOST:
        # The fifth wrong answer itself still looks like the four before.
        if is_exhausted_gone:
            _settle(account, verification, "deleted")
        else:
            verification.status = "max_attempts_reached"
    return json_response(body | {"sna_attempts_error_codes": []})
