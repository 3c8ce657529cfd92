"""Account, access and webhook trouble: codes 1xxxx and 20xxx."""

from integrations.twilio.error_entry import Charged, Retry, Scope, describe

ENTRIES = (
    describe(
        10001,
        "Twilio account not active",
        "The Twilio account is suspended or closed, so Twilio accepts nothing from it. Unpaid balance is the "
        "usual cause.",
        "Sign in to Twilio's Console and look at the banner on the start page and at Billing → Overview. "
        "Pay or answer Twilio's request, then run the connection check again.",
        retry=Retry.NEVER,
        scope=Scope.CONNECTION,
    ),
    describe(
        11200,
        "Twilio got no usable answer from a webhook",
        "Twilio called a webhook address and the answer was an error or took too long. "
        "What it wanted to report, such as a reply, may be missing here.",
        "Check that this installation is up and reachable from the internet. If the webhook points to another system, "
        "correct the address at the number or Messaging Service in Twilio's Console.",
        retry=Retry.NOT_APPLICABLE,
        scope=Scope.WEBHOOK,
        charged=Charged.MAYBE,
    ),
    describe(
        11205,
        "Twilio could not reach a webhook",
        "Twilio tried to open a connection to a webhook address and nothing answered there.",
        "Have the operator check the public address of this installation: name, certificate, port and firewall. "
        "The failed calls are listed in Twilio's Console under Monitor → Logs → Errors.",
        retry=Retry.NOT_APPLICABLE,
        scope=Scope.WEBHOOK,
        charged=Charged.MAYBE,
    ),
    describe(
        12100,
        "Webhook answer was not valid TwiML",
        "A webhook answered Twilio with text that is not well-formed XML, so Twilio could not act on it.",
        "See which address answered in Twilio's Console under Monitor → Logs → Errors. "
        "If it is another system's, repair it there or point the number to this one.",
        retry=Retry.NOT_APPLICABLE,
        scope=Scope.WEBHOOK,
        charged=Charged.MAYBE,
    ),
    describe(
        12300,
        "Webhook answered with the wrong content type",
        "A webhook answered Twilio with something other than XML, for example a web page or an image.",
        "Find the address in Twilio's Console under Monitor → Logs → Errors and make it answer with text/xml, "
        "or point the number to this installation.",
        retry=Retry.NOT_APPLICABLE,
        scope=Scope.WEBHOOK,
        charged=Charged.MAYBE,
    ),
    describe(
        14107,
        "Two numbers answer each other in a loop",
        "Very many replies went back and forth between the same two numbers within seconds, so Twilio paused them. "
        "Usually two automatic answers are talking to each other.",
        "Pause the automation that replies to this contact, then wait a minute. "
        "Let it answer the same person only once within some minutes.",
        retry=Retry.LATER,
        scope=Scope.RATE,
        charged=Charged.MAYBE,
    ),
    describe(
        20003,
        "Twilio did not accept the credentials",
        "The secret does not belong to this key or account, was replaced, or the key may not do this. "
        "A Standard API key, for example, may send messages but not read account data.",
        "In Twilio's Console open Account → API keys & tokens, make a new key if in doubt, "
        "and enter SID and secret anew under Integration → System services. Mind that both come from the same account.",
        retry=Retry.NEVER,
        scope=Scope.CONNECTION,
    ),
    describe(
        20008,
        "Not possible with test credentials",
        "These are Twilio's test credentials. They work for trial requests only and send nothing to anybody.",
        "To send real messages, connect with the live credentials from Account → API keys & tokens in Twilio's "
        "Console.",
        retry=Retry.NEVER,
        scope=Scope.CONNECTION,
    ),
    describe(
        20404,
        "Twilio does not know this item",
        "What was asked for does not exist in this Twilio account. "
        "For a verification it means that it has expired, was completed, or ran out of tries.",
        "For a code, ask for a new one. Otherwise compare the SID with the one shown in Twilio's Console, "
        "in the same account or subaccount.",
        retry=Retry.NEVER,
        scope=Scope.REQUEST,
    ),
    describe(
        20429,
        "Too many requests at once",
        "Twilio turned the request away because too many arrived at the same moment. It did nothing with it.",
        "Nothing to do: it is sent again automatically. If it happens often, lower the sending speed of the "
        "connection.",
        retry=Retry.LATER,
        scope=Scope.RATE,
    ),
    describe(
        20500,
        "Twilio had an internal fault",
        "Something broke inside Twilio while it handled the request. The message may or may not have been accepted.",
        "Wait: we compare with Twilio's own list before anything is repeated. "
        "If many requests are affected, look at status.twilio.com.",
        retry=Retry.UNKNOWN,
        scope=Scope.SERVICE,
        charged=Charged.MAYBE,
    ),
    describe(
        20503,
        "Twilio is temporarily unavailable",
        "Twilio could not serve the request for the moment. Whether it took the message is not certain.",
        "Wait: the message is looked up at Twilio before anything is repeated. Current trouble is shown at "
        "status.twilio.com.",
        retry=Retry.UNKNOWN,
        scope=Scope.SERVICE,
        charged=Charged.MAYBE,
    ),
)
