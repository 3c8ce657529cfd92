"""Our own JSON API beside Twilio's, for the product's pages and for drills: dials, accounts, phones, statistics."""

import asyncio
import hmac
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from . import dials as dial_rules
from .account_settings import account_settings, add_sender, change_account, change_number, change_service
from .errors import ApiError, ControlError
from .inbound import call_webhook, receive
from .media import read_media
from .model import Account
from .phones import list_phones, show_phone
from .recipients import read_recipient
from .statistics import accepted_messages, statistics
from .world import WORLD, World

_REPLY_WAIT_MS = 2000


@dataclass(slots=True)
class Order:
    """A request to the control API."""

    request: web.Request
    world: World
    body: Any

    def account(self) -> Account:
        """Return the account in the path."""
        return self.world.account(self.request.match_info["account_sid"])

    def phone(self) -> str:
        """Return the phone in the path, in E.164."""
        recipient = read_recipient(self.request.match_info["number"])
        if recipient is None:
            raise ControlError({"number": "Write the number in E.164, such as +12025550123."})
        return recipient.e164

    def fields(self) -> dict[str, Any]:
        """Return the JSON object that came as body."""
        if not isinstance(self.body, dict):
            raise ControlError({"": "Send a JSON object."})
        return self.body

    def limit(self, default: int, *, most: int) -> int:
        """Read `limit` from the query."""
        text = self.request.query.get("limit", str(default))
        if not text.isdecimal() or not 1 <= int(text) <= most:
            raise ControlError({"limit": f"A whole number from 1 to {most}."})
        return int(text)


Result = Awaitable[object]


def guarded(act: Callable[[Order], Result]) -> Callable[[web.Request], Awaitable[web.Response]]:
    """Make an aiohttp handler of a control function: checks the secret, reads JSON, writes JSON."""

    async def enter(request: web.Request) -> web.Response:
        world = request.app[WORLD]
        given = request.headers.get("X-Sandbox-Secret", "")
        if not hmac.compare_digest(given.encode(), world.secret.encode()):
            return _errors({"": "Send the sandbox secret in the header X-Sandbox-Secret."}, status=401)
        try:
            body = json.loads(await request.read() or b"{}")
        except ValueError:
            return _errors({"": "The body is not JSON."}, status=400)
        try:
            return web.json_response(await act(Order(request, world, body)))
        except ControlError as error:
            return _errors(error.errors, status=error.status)
        except ApiError:
            return _errors({"": "The sandbox has no such account."}, status=404)

    return enter


def _errors(errors: dict[str, str], *, status: int) -> web.Response:
    listed = [{"field": field, "detail": detail} for field, detail in errors.items()]
    return web.json_response({"errors": listed}, status=status)


async def health(request: web.Request) -> web.Response:
    """Say that the process answers; needs no secret."""
    return web.json_response({"status": "ok"})


# ---- dials


async def show_dials(order: Order) -> object:
    """Answer the global dials."""
    return order.world.global_dials


async def replace_dials(order: Order) -> object:
    """Set the global dials; what is not named goes back to its default."""
    order.world.set_global_dials(dial_rules.merge(dial_rules.DEFAULTS, dial_rules.validate(order.body)))
    return order.world.global_dials


async def change_dials(order: Order) -> object:
    """Change the named global dials only."""
    changed = dial_rules.merge(order.world.global_dials, order.fields())
    order.world.set_global_dials(dial_rules.validate(changed))
    return order.world.global_dials


async def show_account_dials(order: Order) -> object:
    """Answer the dials in force for an account, and which of them are its own."""
    account = order.account()
    return {"in_force": account.dials.settings, "own": account.dial_changes}


async def replace_account_dials(order: Order) -> object:
    """Set what an account has different from the global dials; an empty object takes everything back."""
    dial_rules.validate(order.body)
    order.world.set_account_dials(order.account(), order.fields())
    return await show_account_dials(order)


async def change_account_dials(order: Order) -> object:
    """Change the named dials of an account only."""
    account = order.account()
    order.world.set_account_dials(account, dial_rules.merge(account.dial_changes, order.fields()))
    return await show_account_dials(order)


# ---- accounts


async def show_account(order: Order) -> object:
    """Answer an account's properties, services and senders."""
    return account_settings(order.account())


async def patch_account(order: Order) -> object:
    """Change properties of an account."""
    change_account(order.world, order.account(), order.fields())
    return account_settings(order.account())


async def patch_service(order: Order) -> object:
    """Change properties of a Messaging Service."""
    change_service(order.account(), order.request.match_info["service_sid"], order.fields())
    return account_settings(order.account())


async def post_number(order: Order) -> object:
    """Give an account another number or short code."""
    add_sender(order.world, order.account(), order.fields())
    return account_settings(order.account())


async def patch_number(order: Order) -> object:
    """Change properties of a number."""
    change_number(order.account(), order.request.match_info["number"], order.fields())
    return account_settings(order.account())


# ---- phones


async def show_phones(order: Order) -> object:
    """Answer the virtual phones of an account."""
    return {"phones": list_phones(order.account(), limit=order.limit(200, most=5000))}


async def show_one_phone(order: Order) -> object:
    """Answer one virtual phone's conversation."""
    return show_phone(order.account(), order.phone(), limit=order.limit(200, most=5000))


async def reply(order: Order) -> object:
    """Let a virtual phone write to one of the account's numbers; waits up to `wait_ms` for the webhook's answer."""
    account, fields = order.account(), order.fields()
    body, media = fields.get("body", ""), fields.get("media") or []
    to = fields.get("to") or next((number.value for number in account.numbers.values()), "")
    wait_ms = fields.get("wait_ms", _REPLY_WAIT_MS)
    if not isinstance(body, str) or not isinstance(to, str):
        raise ControlError({"body": "Texts and numbers are strings."})
    if not isinstance(media, list):
        raise ControlError({"media": "A list of addresses or files."})
    if not body and not media:
        raise ControlError({"body": "Write something, or send media."})
    if not isinstance(wait_ms, int | float) or isinstance(wait_ms, bool) or not 0 <= wait_ms <= 20_000:
        raise ControlError({"wait_ms": "A number from 0 to 20000."})
    received, url = receive(order.world, account, phone=order.phone(), to=to, body=body, media=read_media(media))
    state = "none"
    if url:
        task = asyncio.get_running_loop().create_task(call_webhook(order.world, received, url))
        order.world.tasks.add(task)
        task.add_done_callback(order.world.tasks.discard)
        await asyncio.wait({task}, timeout=wait_ms / 1000)
        state = "answered" if task.done() else "pending"
    return {
        "sid": received.message.sid,
        "keyword": received.keyword or None,
        "automatic_answer": received.automatic_answer or None,
        "webhook_state": state,
        "webhook": received.webhook,
    }


# ---- what happened


async def show_statistics(order: Order) -> object:
    """Answer the counters, of one account (`?account=`) or of all."""
    wanted = order.request.query.get("account")
    accounts = [order.world.account(wanted)] if wanted else list(order.world.accounts.values())
    return statistics(order.world, accounts)


async def show_messages(order: Order) -> object:
    """Answer what was really accepted, newest first."""
    query = order.request.query
    accounts = [order.world.account(query["account"])] if "account" in query else list(order.world.accounts.values())
    recipient = read_recipient(query["to"]) if "to" in query else None
    limit = order.limit(1000, most=200_000)
    return {"messages": accepted_messages(accounts, to=recipient.e164 if recipient else None, limit=limit)}


async def reset(order: Order) -> object:
    """Forget everything, or one account."""
    order.world.reset(order.fields().get("account"))
    return {"status": "reset"}


async def move_clock(order: Order) -> object:
    """Move the sandbox's clock forward, so that codes expire and scheduled messages go out."""
    seconds = order.fields().get("advance_s")
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds <= 366 * 86_400:
        raise ControlError({"advance_s": "A number of seconds from 0 to a year."})
    order.world.timers.advance(float(seconds))
    return {"now": order.world.now()}


def control_routes() -> list[web.RouteDef]:
    """Return the routes of the control API."""
    account = "/sandbox/accounts/{account_sid}"
    return [
        web.get("/", health),
        web.get("/sandbox/health", health),
        web.get("/sandbox/dials", guarded(show_dials)),
        web.put("/sandbox/dials", guarded(replace_dials)),
        web.patch("/sandbox/dials", guarded(change_dials)),
        web.get("/sandbox/stats", guarded(show_statistics)),
        web.get("/sandbox/messages", guarded(show_messages)),
        web.post("/sandbox/reset", guarded(reset)),
        web.post("/sandbox/clock", guarded(move_clock)),
        web.get(account, guarded(show_account)),
        web.patch(account, guarded(patch_account)),
        web.get(account + "/dials", guarded(show_account_dials)),
        web.put(account + "/dials", guarded(replace_account_dials)),
        web.patch(account + "/dials", guarded(change_account_dials)),
        web.patch(account + "/services/{service_sid}", guarded(patch_service)),
        web.post(account + "/numbers", guarded(post_number)),
        web.patch(account + "/numbers/{number}", guarded(patch_number)),
        web.get(account + "/phones", guarded(show_phones)),
        web.get(account + "/phones/{number}", guarded(show_one_phone)),
        web.post(account + "/phones/{number}/reply", guarded(reply)),
    ]
