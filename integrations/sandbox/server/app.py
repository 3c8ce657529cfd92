"""The server: its routes, and how the process starts and ends."""

import asyncio
import gc
import logging
import signal
from collections.abc import AsyncIterator

from aiohttp import web

from . import accounts, geo_permissions, lookup, messages, numbers, pricing, services, verify, verify_services
from . import media as media_resource
from .control import control_routes
from .door import Answering, Call, door
from .errors import ApiError
from .submission import create_message
from .test_credentials import create_test_message
from .world import WORLD, World

logger = logging.getLogger("integrations.sandbox")

_BODY_AT_MOST = 1_048_576
_ACCOUNT = "/api.twilio.com/2010-04-01/Accounts/{account_sid}"
_MESSAGING = "/messaging.twilio.com/v1/Services"
_VERIFY = "/verify.twilio.com/v2/Services"
_PRODUCTS = (
    "accounts",
    "api",
    "content",
    "conversations",
    "events",
    "insights",
    "lookups",
    "messaging",
    "monitor",
    "numbers",
    "pricing",
    "proxy",
    "studio",
    "taskrouter",
    "trusthub",
    "verify",
    "voice",
)


def not_simulated(what: str) -> Answering:
    """Make the answer for something that Twilio has and the sandbox honestly has not."""

    def answer(call: Call) -> web.Response:
        raise ApiError(20501, detail=what)

    return answer


def unknown(call: Call) -> web.Response:
    """Answer for an address that does not exist."""
    raise call.not_found()


def twilio_routes() -> list[web.RouteDef]:
    """Return the routes under Twilio's hosts."""
    message, service = _ACCOUNT + "/Messages/{sid}.json", _MESSAGING + "/{service_sid}"
    verify_service = _VERIFY + "/{service_sid}"
    media = _ACCOUNT + "/Messages/{message_sid}/Media"
    routes = [
        web.post(_ACCOUNT + "/Messages.json", door(create_message, is_sending=True, test_answer=create_test_message)),
        web.get(_ACCOUNT + "/Messages.json", door(messages.list_messages)),
        web.get(message, door(messages.fetch_message)),
        web.post(message, door(messages.update_message)),
        web.delete(message, door(messages.delete_message)),
        web.get(media + ".json", door(media_resource.list_media)),
        web.get(media + "/{sid:ME[0-9a-f]+}.json", door(media_resource.fetch_medium)),
        web.delete(media + "/{sid:ME[0-9a-f]+}.json", door(media_resource.delete_medium)),
        web.get(media + "/{sid:ME[0-9a-f]+}", door(media_resource.lead_to_content)),
        web.get("/mms.twiliocdn.com/{account_sid}/{token}", media_resource.give_content),
        web.get(_ACCOUNT + "/Balance.json", door(accounts.fetch_balance)),
        web.get(_ACCOUNT + "/IncomingPhoneNumbers.json", door(numbers.list_numbers)),
        web.get(_ACCOUNT + "/IncomingPhoneNumbers/{sid}.json", door(numbers.fetch_number)),
        web.post(_ACCOUNT + "/IncomingPhoneNumbers/{sid}.json", door(numbers.update_number)),
        web.post(_ACCOUNT + "/IncomingPhoneNumbers.json", door(not_simulated("buying numbers"))),
        web.route("*", _ACCOUNT + "/Calls{rest:.*}", door(not_simulated("calls"))),
        web.route("*", _ACCOUNT + "/AvailablePhoneNumbers{rest:.*}", door(not_simulated("the search for numbers"))),
        web.route("*", _ACCOUNT + "/Keys{rest:.*}", door(accounts.keys, standard_key_may=False)),
        web.get(_ACCOUNT + ".json", door(accounts.fetch_account, standard_key_may=False, suspended_may=True)),
        web.post(_ACCOUNT + ".json", door(not_simulated("changing accounts"), standard_key_may=False)),
        web.get(_MESSAGING, door(services.list_services)),
        web.post(_MESSAGING, door(services.create_service)),
        web.get(service, door(services.fetch_service)),
        web.post(service, door(services.update_service)),
        web.delete(service, door(services.delete_service)),
        web.get(service + "/AlphaSenders", door(services.list_alpha_senders)),
        web.post(service + "/AlphaSenders", door(services.add_alpha_sender)),
        web.delete(service + "/AlphaSenders/{sid}", door(services.remove_alpha_sender)),
        web.get(_VERIFY, door(verify_services.list_services)),
        web.post(_VERIFY, door(verify_services.create_service)),
        web.get(verify_service, door(verify_services.fetch_service)),
        web.post(verify_service, door(verify_services.update_service)),
        web.delete(verify_service, door(verify_services.delete_service)),
        web.post(verify_service + "/Verifications", door(verify.start_verification, is_sending=True)),
        web.get(verify_service + "/Verifications/{sid}", door(verify.fetch_verification)),
        web.post(verify_service + "/Verifications/{sid}", door(verify.update_verification)),
        web.post(verify_service + "/VerificationCheck", door(verify.check_verification)),
        web.get("/verify.twilio.com/v2/Attempts", door(verify.list_attempts)),
        web.get("/lookups.twilio.com/v2/PhoneNumbers/{number}", door(lookup.look_up)),
        web.get("/accounts.twilio.com/v1/Messaging/GeoPermissions", door(geo_permissions.list_permissions)),
        web.patch("/accounts.twilio.com/v1/Messaging/GeoPermissions", door(geo_permissions.change_permissions)),
        web.get("/pricing.twilio.com/v1/Messaging/Countries", door(pricing.list_countries)),
        web.get("/pricing.twilio.com/v1/Messaging/Countries/{region}", door(pricing.fetch_country)),
        web.route("*", "/content.twilio.com/{rest:.*}", door(not_simulated("content templates"))),
    ]
    for kind, path in (("phone_number", "/PhoneNumbers"), ("short_code", "/ShortCodes")):
        routes += [
            web.get(service + path, door(services.list_pool_numbers(kind))),
            web.post(service + path, door(services.add_pool_number(kind))),
            web.get(service + path + "/{sid}", door(services.fetch_pool_number)),
            web.delete(service + path + "/{sid}", door(services.remove_pool_number)),
        ]
    routes += [web.route("*", f"/{product}.twilio.com/{{rest:.*}}", door(unknown)) for product in _PRODUCTS]
    return routes


def build_app(secret: str, *, max_messages: int = 200_000) -> web.Application:
    """Make the application; `secret` is shared with the installation that uses it."""
    if not secret:
        raise ValueError("The sandbox needs a secret: set SANDBOX_SECRET.")
    app = web.Application(client_max_size=_BODY_AT_MOST)
    app[WORLD] = World(secret, max_messages=max_messages)
    app.add_routes(twilio_routes())
    app.add_routes(control_routes())
    app.cleanup_ctx.append(_courier)
    return app


async def _courier(app: web.Application) -> AsyncIterator[None]:
    await app[WORLD].courier.start()
    yield
    app[WORLD].timers.clear()
    for task in list(app[WORLD].tasks):
        task.cancel()
    await app[WORLD].courier.close()


async def serve(secret: str, *, host: str, port: int, max_messages: int = 200_000) -> None:
    """Serve until SIGTERM or SIGINT; port 0 takes a free one and prints which."""
    app = build_app(secret, max_messages=max_messages)
    # Without an access log: it would cost as much as the answers, and it would hold phone numbers.
    # A handler is cancelled when its client goes, which ends the answers that hang on purpose.
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True, keepalive_timeout=75, shutdown_timeout=2)
    await runner.setup()
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        await web.TCPSite(runner, host, port, backlog=1024).start()
        address = runner.addresses[0]
        print(f"Sandbox ready on http://{address[0]}:{address[1]}", flush=True)
        logger.info("sandbox listens on port %s", address[1])
        await stop.wait()
    finally:
        await runner.cleanup()


def run(secret: str, *, host: str, port: int, max_messages: int = 200_000) -> None:
    """Run the server in this process until it is told to stop."""
    # With hundreds of thousands of stored messages full collections are slow and find nothing.
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    asyncio.run(serve(secret, host=host, port=port, max_messages=max_messages))
