"""What a person takes along: all that is theirs, and nothing that opens a door."""

import json
import zipfile
from typing import Any

import pytest

from messaging.consent.ledger import Entry, record_consent
from messaging.consent.opt_outs import opt_out
from portal.accounts.models import Portal, PortalLogin, PortalPasskey, PortalUser
from portal.accounts.own_data import write_own_data
from portal.accounts.setting_up import publish_terms
from portal.forms.models import Submission, SubmissionFile
from tests.conftest import Cast
from tests.factories import MessageFactory
from tests.portal.forms.samples import PNG

from .insiders import NEW_PHONE, PHONE, person_of, session_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def user(portal: Portal, cast: Cast) -> PortalUser:
    terms = publish_terms(portal, texts={"en": "Be kind."}, actor=cast.owner)
    portal.form.refresh_from_db()
    assert portal.form.current is not None
    sent = Submission.objects.create(form=portal.form, version=portal.form.current, answers={"f1": "Ada"}, phone=PHONE)
    SubmissionFile.objects.create(submission=sent, key="f3", name="licence.png", kind="png", size=9, content=PNG)
    user = person_of(portal, submission=sent, terms=terms, password="hash-of-a-password")
    session_of(user)
    PortalLogin.objects.create(portal=portal, user=user, how="code", outcome="in", device="Firefox on Android")
    PortalPasskey.objects.create(user=user, credential_id="credential", credential=b"secret-bytes", label="Phone")
    return user


def taken(user: PortalUser) -> tuple[dict[str, Any], list[str], str]:
    with write_own_data(user) as written, zipfile.ZipFile(written) as archive:
        text = archive.read("data.json").decode()
        return json.loads(text), archive.namelist(), text


def test_everything_is_in_it(user: PortalUser, cast: Cast) -> None:
    record_consent(
        cast.organization,
        Entry(phone=PHONE, action="granted", source="portal", evidence={"wording": "News by SMS", "ip": "203.0.113.9"}),
    )
    opt_out(cast.organization, phone=PHONE, source="portal")
    MessageFactory(organization=cast.organization, phone=PHONE, body="Your slot is 9 to 11.", status="sent")
    data, names, _ = taken(user)
    assert names == ["data.json", "files/1/f3-licence.png"]
    assert (data["profile"]["phone"], data["profile"]["name"]) == (PHONE, "Ada")
    assert data["terms"]["texts"] == {"en": "Be kind."}
    assert data["registration"]["answers"] == [{"question": "Name", "answer": "Ada"}]
    assert [row["text"] for row in data["messages"]] == ["Your slot is 9 to 11."]
    assert {row["action"] for row in data["consent"]} == {"granted", "withdrawn"}
    assert data["consent"][0]["wording"] == "News by SMS"
    assert [row["source"] for row in data["opt_outs"]] == ["portal"]
    assert [row["device"] for row in data["logins"]] == ["Firefox on Android"]
    assert len(data["devices"]) == len(data["sessions"]) == len(data["passkeys"]) == 1


def test_no_secret_and_nobody_else(user: PortalUser, cast: Cast) -> None:
    other = person_of(user.portal, phone=NEW_PHONE, name="Grace")
    MessageFactory(organization=cast.organization, phone=NEW_PHONE, body="For Grace", status="delivered")
    MessageFactory(organization=cast.other, phone=PHONE, body="Of a stranger", status="delivered")
    _, _, text = taken(user)
    session = user.sessions.get()
    assert session.device is not None
    for word in (
        "hash-of-a-password", "secret-bytes", "credential", session.token_hash, session.device.token_hash,
        "Grace", NEW_PHONE, "Of a stranger", str(other.pk),
    ):  # fmt: skip
        assert word not in text
