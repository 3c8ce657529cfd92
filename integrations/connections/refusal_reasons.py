"""Why a webhook was refused, in words and with what to do about it."""

from dataclasses import dataclass

UNSIGNED = "unsigned"
WRONG_SIGNATURE = "wrong_signature"
WRONG_OWN_SIGNATURE = "wrong_own_signature"
WRONG_ACCOUNT = "wrong_account"
DISCONNECTED = "disconnected"
SECRET_UNREADABLE = "secret_unreadable"  # noqa: S105 - the name of a reason
MALFORMED = "malformed"


@dataclass(frozen=True)
class Reason:
    """`title` names it in a list, `meaning` says what it tells, `remedy` what an admin can do."""

    title: str
    meaning: str
    remedy: str


REASONS: dict[str, Reason] = {
    UNSIGNED: Reason(
        "No signature",
        "The request had no X-Twilio-Signature header. Twilio signs every request, so this one came from somebody "
        "else, or a proxy on the way dropped the header.",
        "Ignore it if you do not know the address it came from. If your own callbacks stay away, let the proxy pass "
        "all headers that begin with X-Twilio.",
    ),
    WRONG_SIGNATURE: Reason(
        "Signature does not fit",
        "No Auth Token stored here makes this signature. Either the token was rotated in Twilio, or Twilio called "
        "another address than PUBLIC_BASE_URL, or the request is forged.",
        "Compare the Auth Token with the one in Twilio's Console and enter a new one under Rotate. Check that "
        "PUBLIC_BASE_URL is exactly the address Twilio calls: scheme, host and port.",
    ),
    WRONG_OWN_SIGNATURE: Reason(
        "Our own signature is missing or wrong",
        "This connection has no Auth Token, so callback addresses carry a signature of ours in `h`. Here it was "
        "missing or altered: the address was not one that Heliograph made.",
        "Copy the webhook address again from this page. Better: add the Auth Token for signature checks.",
    ),
    WRONG_ACCOUNT: Reason(
        "Another account",
        "The request speaks for another Twilio account than the one connected here.",
        "Remove this connection's webhook address from the other account.",
    ),
    DISCONNECTED: Reason(
        "Connection is disconnected",
        "The request was for a connection whose secrets were removed, so it could not be checked.",
        "Remove the address from Twilio's Console if the account is no longer used with Heliograph.",
    ),
    SECRET_UNREADABLE: Reason(
        "Stored secret cannot be decrypted",
        "The Auth Token of this connection is encrypted under a key that the installation no longer has.",
        "Ask the operator to restore the key in CREDENTIAL_KEYS, or enter the secrets anew under Rotate.",
    ),
    MALFORMED: Reason(
        "Not what Twilio sends",
        "The request lacks what every request from Twilio carries, or it could not be read.",
        "Nothing, unless you see many of them from one address: then block it at your proxy.",
    ),
}


def explain_reason(reason: str) -> Reason:
    """Return the words for a reason; one we have no words for speaks for itself."""
    return REASONS.get(reason) or Reason(reason.replace("_", " ").capitalize(), "", "")
