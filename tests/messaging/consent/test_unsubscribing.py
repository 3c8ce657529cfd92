"""The public page of an unsubscribe link: one click stops, looking does not, and nobody learns anything by guessing."""

import pytest
from django.core.cache import cache
from django.test import Client

from messaging.consent.ledger import Entry, record_consent, state_of
from messaging.consent.links import keep_links, token_of
from messaging.consent.models import ConsentPolicy, OptOut
from messaging.consent.opt_outs import STOP_TAG, opt_out
from tests.conftest import Cast
from tests.factories import ContactFactory

PHONE = "+4915112345678"


@pytest.fixture
def address(cast: Cast) -> str:
    cache.clear()
    keep_links(cast.organization, [(PHONE, "ACME")])
    return f"/u/{token_of(cast.organization, phone=PHONE, sender='ACME')}"


def test_looking_changes_nothing_and_says_what_the_button_does(cast: Cast, address: str) -> None:
    for method in ("get", "head"):
        answer = getattr(Client(), method)(address)
        assert answer.status_code == 200
    page = Client().get(address).content.decode()
    assert "Stop messages from Acme Logistics?" in page
    assert page.count("<button") == 1
    assert "12345678" not in page.replace(" ", "")
    assert "••••78" in page or "78" in page
    assert not OptOut.objects.exists()


def test_one_click_stops_everything_without_signing_in_and_twice_is_once(cast: Cast, address: str) -> None:
    record_consent(cast.organization, Entry(phone=PHONE, action="granted", source="staff", reason="desk"))
    contact = ContactFactory(organization=cast.organization, phone=PHONE)
    client = Client(enforce_csrf_checks=True)
    for _ in range(2):
        answer = client.post(address, {"wish": "stop"}, REMOTE_ADDR="203.0.113.9")
        assert (answer.status_code, answer.url) == (302, address)
    standing = OptOut.objects.get()
    assert (standing.source, standing.scope, standing.phone) == ("link", "organization", PHONE)
    assert contact.tags.filter(name=STOP_TAG).exists()
    record = state_of(cast.organization, phone=PHONE).record
    assert (record.action, record.source) == ("withdrawn", "link")
    assert record.evidence["ip"] == "203.0.113.0/24"
    assert "You get no more messages" in client.get(address).content.decode()
    assert not client.cookies


def test_a_mail_programs_one_click_counts(cast: Cast, address: str) -> None:
    Client().post(address, {"List-Unsubscribe": "One-Click"})
    assert OptOut.objects.get().is_active


def test_the_link_undoes_what_it_did(cast: Cast, address: str) -> None:
    record_consent(cast.organization, Entry(phone=PHONE, action="granted", source="staff", reason="desk"))
    client = Client()
    client.post(address, {"wish": "stop"})
    assert "I want messages again" in client.get(address).content.decode()
    client.post(address, {"wish": "again"})
    assert OptOut.objects.get().ended_by == "link"
    assert state_of(cast.organization, phone=PHONE).state == "granted"
    assert "Stop messages from" in client.get(address).content.decode()


@pytest.mark.parametrize("source", ["keyword", "twilio", "staff"])
def test_the_link_does_not_undo_what_others_did(cast: Cast, address: str, source: str) -> None:
    opt_out(cast.organization, phone=PHONE, source=source)
    client = Client()
    page = client.get(address).content.decode()
    assert "text START" in page
    assert "<button" not in page
    client.post(address, {"wish": "again"})
    assert OptOut.objects.get().is_active


def test_a_narrow_policy_stops_the_name_only(cast: Cast, address: str) -> None:
    ConsentPolicy.objects.create(organization=cast.organization, scope="sender")
    Client().post(address)
    assert OptOut.objects.values_list("scope", "sender").get() == ("sender", "ACME")


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("de-AT,de;q=0.9", "Nachrichten von Acme Logistics abbestellen?"),
        ("fr", "Ne plus recevoir de messages de Acme Logistics"),
        ("es-MX", "¿Dejar de recibir mensajes de Acme Logistics?"),
        ("zh-CN,zh", "停止接收Acme Logistics的信息"),
        ("xx,en;q=0", "Stop messages from Acme Logistics?"),
        ("", "Stop messages from Acme Logistics?"),
        (";;;\x01,q=q" + "x" * 5000, "Stop messages from Acme Logistics?"),
    ],
)
def test_the_page_speaks_the_browsers_language(cast: Cast, address: str, asked: str, expected: str) -> None:
    assert expected in Client().get(address, headers={"Accept-Language": asked}).content.decode()


@pytest.mark.parametrize("token", ["nope", "a" * 10, "é" * 10, "%00", "../admin", "A" * 5000])
def test_a_wrong_link_says_nothing_about_anybody(cast: Cast, address: str, token: str) -> None:
    for method in ("get", "post"):
        answer = getattr(Client(), method)(f"/u/{token}")
        assert answer.status_code == 404
        assert "Acme" not in answer.content.decode()
    assert not OptOut.objects.exists()


def test_guessing_is_slowed_down_and_a_good_link_is_not_lost_to_others(cast: Cast, address: str) -> None:
    for number in range(30):
        assert Client().get(f"/u/wrong{number:05d}").status_code == 404
    assert Client().get("/u/wrong99999").status_code == 429
    assert Client().get(address, REMOTE_ADDR="198.51.100.7").status_code == 200
    # Nor to those who share the network of a mobile carrier.
    assert Client().get(address).status_code == 200
    assert Client().post(address).status_code == 302


def test_a_link_cannot_be_switched_to_and_fro_without_end(cast: Cast, address: str) -> None:
    answers = [Client().post(address, {"wish": wish}).status_code for wish in ("stop", "again") * 11]
    assert set(answers) == {302, 429}
    assert answers.count(302) == 20


def test_nothing_leaks_by_headers(cast: Cast, address: str) -> None:
    answer = Client().get(address)
    assert answer["Referrer-Policy"] == "no-referrer"
    assert answer["Cache-Control"] == "no-store"
    policy = answer["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    page = answer.content.decode()
    assert "<script" not in page
    assert "style=" not in page
    assert "unfold" not in page


def test_the_page_exists_outside_organizations_only(cast: Cast, address: str) -> None:
    assert cast.client("owner").get(cast.url(address)).status_code == 404
