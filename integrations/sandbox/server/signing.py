"""The signature under every webhook. Kept apart from integrations/twilio because this process never imports the SDK."""

import base64
import hashlib
import hmac


def sign(url: str, params: dict[str, str], *, token: str) -> str:
    """Return the base64 HMAC-SHA1 over the URL (without fragment) and the form fields sorted by name.

    The rule is Twilio's: https://www.twilio.com/docs/usage/security#validating-requests
    """
    text = url + "".join([name + params[name] for name in sorted(params)])
    return base64.b64encode(hmac.new(token.encode(), text.encode(), hashlib.sha1).digest()).decode()
