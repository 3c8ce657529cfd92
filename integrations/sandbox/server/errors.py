"""Errors in the shape that Twilio gives them, in our own words."""

import re

# code: (HTTP status, message). The statuses follow Twilio's documentation; where sources differ, most of them.
REFUSALS: dict[int, tuple[int, str]] = {
    10001: (403, "The account is suspended or closed and cannot do this."),
    20001: (400, "A parameter of the request is not acceptable."),
    20003: (401, "Authentication failed: wrong credentials, or credentials that may not do this."),
    20008: (403, "Test credentials cannot be used for this resource."),
    20404: (404, "Nothing was found at {detail}."),
    20429: (429, "Too many requests; nothing was done."),
    20500: (500, "The simulated service failed."),
    20501: (501, "The sandbox does not simulate {detail} yet."),
    21211: (400, "The To number {detail} is not a valid phone number."),
    21212: (400, "The From value {detail} is not a valid sender."),
    21266: (400, "To and From are the same number."),
    21267: (400, "Trial accounts cannot send from an alphanumeric sender ID."),
    21408: (400, "Sending to the country of {detail} is not enabled for this account."),
    21602: (400, "The message has no text: Body is required."),
    21603: (400, "No sender: From or MessagingServiceSid is required."),
    21604: (400, "No recipient: To is required."),
    21606: (400, "The From number {detail} is not a message-capable number of this account."),
    21608: (400, "A trial account cannot send to {detail}: the number is not verified."),
    21609: (400, "The StatusCallback address is not acceptable."),
    21610: (400, "The recipient has unsubscribed from this sender."),
    21611: (400, "The queue of this From number is full."),
    21612: (400, "The recipient cannot be reached from this sender."),
    21614: (400, "{detail} is not a mobile number."),
    21617: (400, "The text is longer than 1600 characters."),
    21620: (400, "A media address is not acceptable."),
    21623: (400, "A message can have ten media files at most."),
    21624: (400, "ValidityPeriod must be 1 to 36000 seconds."),
    21701: (400, "The Messaging Service does not exist."),
    21703: (400, "No sender of the Messaging Service can reach this recipient."),
    21704: (400, "The Messaging Service has no senders."),
    21705: (400, "The Messaging Service SID is malformed."),
    21712: (409, "This sender belongs to another Messaging Service."),
    21910: (400, "To and From belong to different channels."),
    30409: (409, "The message can no longer be canceled."),
    35111: (400, "Scheduling needs both ScheduleType=fixed and SendAt."),
    35114: (400, "SendAt must be a UTC time between 300 seconds and 35 days ahead."),
    35118: (400, "Scheduling needs a Messaging Service."),
    60200: (400, "Invalid parameter: {detail}"),
    60202: (429, "The code was checked too often."),
    60203: (429, "The code was sent too often."),
    60204: (400, "The Verify Service has this feature switched off."),
    60205: (403, "A landline cannot receive this code by SMS."),
    60212: (429, "Too many requests for this phone number at once."),
    60217: (400, "The Verify Service has no mailer."),
    60220: (400, "Codes to mainland China need a vetted use case."),
    60221: (400, "Name the verification by To or VerificationSid."),
    60223: (400, "The delivery channel is switched off for this Verify Service."),
    60410: (403, "Fraud protection blocks codes to this prefix at the moment."),
    60605: (403, "Verify is not permitted to send to this country."),
    63007: (400, "The account has no such channel sender."),
}


class ApiError(Exception):
    """A refusal to be answered as Twilio answers it: `code`, HTTP `status`, `message`."""

    def __init__(
        self, code: int, *, detail: str = "", status: int | None = None, headers: dict[str, str] | None = None
    ) -> None:
        usual_status, words = REFUSALS.get(code, (400, "The request was refused."))
        self.code = code
        self.status = status or usual_status
        self.message = words.format(detail=_mask(detail))
        self.headers = headers or {}
        super().__init__(f"{self.status} {self.code}")

    def as_json(self) -> dict[str, object]:
        """Return the body of the answer."""
        body: dict[str, object] = {"code": self.code, "message": self.message}
        if self.code == 20003:
            body["detail"] = ""
        return body | {"more_info": f"https://www.twilio.com/docs/errors/{self.code}", "status": self.status}


def _mask(detail: str) -> str:
    """Replace the last four digits of a phone number, as Twilio does in its messages."""
    return re.sub(r"^(\+\d{3,11})\d{4}$", r"\1XXXX", detail)


class ControlError(Exception):
    """Input of the control API that cannot be used: answered as 4xx with a list of fields."""

    def __init__(self, errors: dict[str, str], *, status: int = 422) -> None:
        self.errors = errors
        self.status = status
        super().__init__(", ".join(errors))
