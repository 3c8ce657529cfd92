"""The whole way against the simulated Twilio, whose limits are Twilio's own."""

import pytest
import requests

from integrations.connections.models import Connection
from integrations.sandbox.credentials import SandboxCredentials
from messaging.verification import life
from messaging.verification.askers import Asker
from messaging.verification.limit_models import VerificationPolicy
from messaging.verification.models import ClosedChannel, Verification
from messaging.verification.refusals import VerificationRefused
from tests.conftest import Cast
from tests.plugins.sandbox import SandboxServer

from .conftest import PHONE, VISITOR, code_in, wrong


def code_on(sandbox: SandboxServer, account: SandboxCredentials, phone: str = PHONE) -> str:
    texts = sandbox.control.phone(account.account_sid, phone)["messages"]
    return code_in(str(texts[-1]["body"]))


def begin(cast: Cast, to: str = PHONE, channel: str = "sms", asker: Asker = VISITOR) -> Verification:
    return life.start(cast.organization, to=to, channel=channel, asker=asker)


def test_from_the_code_to_the_approval(
    cast: Cast, in_sandbox: Connection, sandbox: SandboxServer, account: SandboxCredentials
) -> None:
    verification = begin(cast)
    code = code_on(sandbox, account)
    assert life.check(verification, code=wrong(code)) == life.Checked("pending", 2, approved=False)
    assert life.check(verification, code=code) == life.Checked("approved", 0, approved=True)


@pytest.mark.parametrize("exhausted", ["60202", "20404"])
def test_too_many_wrong_codes_end_it_however_twilio_says_so(
    cast: Cast, in_sandbox: Connection, sandbox: SandboxServer, account: SandboxCredentials, exhausted: str
) -> None:
    sandbox.control.change_dials({"verify": {"exhausted": exhausted}})
    first, second = (begin(cast, asker=Asker("api")) for _ in range(2))
    assert first.provider_sid == second.provider_sid
    code = code_on(sandbox, account)
    for _ in range(5):
        life.check(first, code=wrong(code))
    assert first.status == "max_attempts"
    assert life.check(second, code=code) == life.Checked("max_attempts", 0, approved=False)


def test_two_tabs_share_the_code_and_one_wins(
    cast: Cast, in_sandbox: Connection, sandbox: SandboxServer, account: SandboxCredentials
) -> None:
    first, second = begin(cast), begin(cast)
    code = code_on(sandbox, account)
    assert life.check(second, code=code).approved
    assert life.check(first, code=code) == life.Checked("expired", 0, approved=False)
    assert first.error_reason == "used"


def test_a_deleted_service_is_told(
    cast: Cast, in_sandbox: Connection, sandbox: SandboxServer, account: SandboxCredentials
) -> None:
    verification = begin(cast)
    code = code_on(sandbox, account)
    gone = sandbox.api(account, with_key=False).call("DELETE", "verify", f"/v2/Services/{account.verify_service_sid}")
    assert gone.status_code == requests.codes.no_content
    assert life.check(verification, code=code).status == "failed"
    with pytest.raises(VerificationRefused) as caught:
        begin(cast)
    assert caught.value.code == "verify_service_gone"


@pytest.mark.parametrize(("phone", "code"), [("+12025550160", "60410"), ("+12025550165", "60605")])
def test_numbers_that_twilio_refuses(
    cast: Cast, in_sandbox: Connection, sandbox: SandboxServer, phone: str, code: str
) -> None:
    VerificationPolicy.objects.create(organization=cast.organization, regions=["US"])
    with pytest.raises(VerificationRefused) as caught:
        begin(cast, to=phone)
    assert caught.value.code == code


def test_a_switched_off_channel_is_learned(cast: Cast, in_sandbox: Connection, sandbox: SandboxServer) -> None:
    with pytest.raises(VerificationRefused) as caught:
        begin(cast, channel="whatsapp")
    assert caught.value.code == "60223"
    assert ClosedChannel.objects.get().channel == "whatsapp"
    assert life.offered_channels(begin(cast)) == ["sms", "call"]


def test_canceled_at_twilio_too(
    cast: Cast, in_sandbox: Connection, sandbox: SandboxServer, account: SandboxCredentials
) -> None:
    verification = begin(cast)
    code = code_on(sandbox, account)
    life.cancel(verification)
    answer = sandbox.api(account, with_key=False).call(
        "POST",
        "verify",
        f"/v2/Services/{account.verify_service_sid}/VerificationCheck",
        data={"Code": code, "To": PHONE},
    )
    assert answer.status_code == requests.codes.not_found
