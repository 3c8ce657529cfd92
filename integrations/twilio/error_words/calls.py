"""Voice calls and buying numbers: codes 21210 to 21219 and 214xx (21408, about messages, stands in sending)."""

from integrations.twilio.error_entry import Retry, Scope, describe

ENTRIES = (
    describe(
        21210,
        "Caller number may not be used",
        "A call may only show a number that you rent from Twilio or have proved to be yours, and this one is neither.",
        "Use one of your Twilio numbers, or prove this one in Twilio's Console under "
        "Phone Numbers → Manage → Verified Caller IDs.",
        retry=Retry.NEVER,
        scope=Scope.SENDER,
    ),
    describe(
        21211,
        "Recipient's number is not valid",
        "No phone can have the number that was given: it is too short, too long, or has the wrong country code.",
        "Correct the number at the contact, with country code, for example +49 30 123456. Then send again.",
        retry=Retry.NEVER,
        scope=Scope.RECIPIENT,
    ),
    describe(
        21212,
        "Sender is not valid",
        "The sender is neither a complete phone number nor a sender name that Twilio allows.",
        "Choose a number from Phone Numbers → Manage → Active numbers in Twilio's Console and "
        "enter it at the connection with its country code. Very general sender names are refused.",
        retry=Retry.NEVER,
        scope=Scope.SENDER,
    ),
    describe(
        21214,
        "Number cannot be called",
        "Twilio has no route for calls to this number.",
        "Check the number with the person, or send an SMS instead of calling.",
        retry=Retry.NEVER,
        scope=Scope.RECIPIENT,
    ),
    describe(
        21215,
        "Calls to this country are switched off",
        "Your Twilio account is set not to call the country of this number.",
        "If you trust the destination, tick the country in Twilio's Console under Voice → Settings → Geo permissions, "
        "then call again.",
        retry=Retry.AFTER_CHANGE,
        scope=Scope.COUNTRY,
    ),
    describe(
        21216,
        "Twilio blocks calls to this number",
        "The number stands on a list of numbers that Twilio does not call, often because of fraud.",
        "Do not call it again. If you know the person well, ask Twilio's support why the number is listed.",
        retry=Retry.NEVER,
        scope=Scope.RECIPIENT,
    ),
    describe(
        21217,
        "Called number looks wrong",
        "Twilio cannot read the number as a phone number.",
        "Correct it at the contact, starting with + and the country code, and call again.",
        retry=Retry.NEVER,
        scope=Scope.RECIPIENT,
    ),
    describe(
        21219,
        "Trial account may not call this number",
        "A trial account calls only numbers whose owner has been verified at Twilio.",
        "Verify the number in Twilio's Console under Phone Numbers → Manage → Verified Caller IDs, or upgrade "
        "the account.",
        retry=Retry.AFTER_CHANGE,
        scope=Scope.RECIPIENT,
    ),
    describe(
        21401,
        "Phone number cannot be read",
        "The number given to Twilio is not a phone number in the form it expects.",
        "Write it with + and country code and digits only, then repeat the step.",
        retry=Retry.NEVER,
        scope=Scope.REQUEST,
    ),
    describe(
        21421,
        "Number to be bought is not valid",
        "Twilio cannot sell this number because it is not a possible one.",
        "Pick a number from the search in Twilio's Console under Phone Numbers → Manage → Buy a number.",
        retry=Retry.NEVER,
        scope=Scope.REQUEST,
    ),
    describe(
        21422,
        "Number is no longer for sale",
        "Somebody else has taken this number, or Twilio does not have it.",
        "Search again and choose another one.",
        retry=Retry.NEVER,
        scope=Scope.REQUEST,
    ),
    describe(
        21452,
        "No numbers left in this area",
        "Twilio has no number to offer in the area that was asked for.",
        "Try a neighbouring area code, or leave the area open.",
        retry=Retry.NEVER,
        scope=Scope.REQUEST,
    ),
)
