"""A password beside the code, and passkeys instead of it."""

import json
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from django.contrib.auth.hashers import make_password
from django.db.models.functions import Now
from django.test import Client
from fido2.cose import ES256
from fido2.utils import websafe_decode, websafe_encode
from fido2.webauthn import Aaguid, AttestationObject, AttestedCredentialData, AuthenticatorData

from portal.accounts import passwords
from portal.accounts.models import Portal, PortalLogin, PortalPasskey, PortalSending, PortalSession, PortalUser
from portal.accounts.passwords import PasswordRefused
from tests.conftest import Cast
from tests.portal.accounts.door.conftest import Visitor, login
from tests.portal.accounts.door.test_journey import let_codes_go
from tests.portal.accounts.furnishing import begin_session, make_person, make_portal
from tests.portal.forms.public.conftest import VirtualPhones

pytestmark = pytest.mark.django_db

SECRET = "four blue lorries"


@pytest.fixture
def person(drivers: Portal) -> PortalUser:
    Portal.objects.update(offers_password=True)
    drivers.refresh_from_db()
    return make_person(drivers, password=make_password(SECRET))


class TestPassword:
    """At the door, after the code."""

    def test_is_asked_after_the_code(self, visitor: Visitor, phones: VirtualPhones, person: PortalUser) -> None:
        login(visitor, phones)
        assert "Your password" in visitor.text and not visitor.is_in
        visitor.press("password", password="wrong")
        assert visitor.status == 422 and "you can try 4 more times" in visitor.text
        visitor.press("password", password=SECRET)
        assert visitor.is_in
        rows = PortalLogin.objects.order_by("id").values_list("how", "outcome")
        assert list(rows) == [("password", "wrong_password"), ("password", "in")]

    def test_is_asked_five_times(self, visitor: Visitor, phones: VirtualPhones, person: PortalUser) -> None:
        login(visitor, phones)
        page, cookie = visitor.page, visitor.client.cookies["hg_visit"].value
        for _ in range(5):
            visitor.press("password", password="wrong")
        assert visitor.status == 409 and "Begin again with your number and a new code." in visitor.text
        visitor.page = page
        visitor.client.cookies["hg_visit"] = cookie
        visitor.press("password", password=SECRET)
        assert not visitor.is_in, "also with the page of before"

    def test_is_not_got_round_by_another_step(
        self, visitor: Visitor, phones: VirtualPhones, person: PortalUser
    ) -> None:
        login(visitor, phones)
        for step in ("enter", "fill", "check", "code", "number"):
            page = visitor.page
            visitor.press(step)
            assert not visitor.is_in, step
            visitor.page = page

    def test_is_not_asked_where_the_portal_has_none(
        self, visitor: Visitor, phones: VirtualPhones, person: PortalUser
    ) -> None:
        Portal.objects.update(offers_password=False)
        assert login(visitor, phones).is_in

    def test_lapses_a_day_after_it_was_forgotten(
        self, visitor: Visitor, phones: VirtualPhones, person: PortalUser
    ) -> None:
        login(visitor, phones).press("forgot")
        assert "it takes 24 hours" in visitor.text and not visitor.is_in
        person.refresh_from_db()
        until = person.password_lapses_at
        visitor.open().press("forgot")
        person.refresh_from_db()
        assert person.password_lapses_at == until, "asking again does not put it off or forward"
        PortalUser.objects.update(password_lapses_at=Now())
        let_codes_go()
        assert login(Visitor(person.portal), phones).is_in
        person.refresh_from_db()
        assert (person.password, person.password_lapses_at) == ("", None)

    def test_stays_where_its_owner_says_so(self, visitor: Visitor, phones: VirtualPhones, person: PortalUser) -> None:
        own = Client()
        own.cookies["hg_portal"] = begin_session(person)
        login(visitor, phones).press("forgot")
        page = own.get("/p/drivers/home").content.decode()
        assert "Somebody who has your number said that your password was forgotten." in page
        token = page.split('name="token" value="')[1].split('"')[0]
        assert own.post("/p/drivers/keep-password", {"token": token}).status_code == 302
        person.refresh_from_db()
        assert person.password and person.password_lapses_at is None

    def test_a_login_with_it_stops_the_lapse(self, visitor: Visitor, phones: VirtualPhones, person: PortalUser) -> None:
        login(visitor, phones).press("forgot")
        visitor.open().press("password", password=SECRET)
        person.refresh_from_db()
        assert visitor.is_in and person.password and person.password_lapses_at is None

    def test_is_set_changed_and_removed_by_who_knows_it(self, person: PortalUser) -> None:
        begin_session(person)
        begin_session(person)
        session = PortalSession.objects.select_related("user__portal").first()
        assert session is not None
        for new, old, code in [
            ("another long one", "", "wrong"),
            ("short", SECRET, "weak"),
            ("1234567890123", SECRET, "weak"),
            ("password123", SECRET, "weak"),
        ]:
            with pytest.raises(PasswordRefused) as refused:
                passwords.set_password(session, new=new, old=old)
            assert refused.value.code == code
        passwords.set_password(session, new="another long one", old=SECRET)
        assert passwords.holds(session.user, "another long one")
        assert list(PortalSession.objects.filter(ended_at=None)) == [session], "the others log in anew"
        # A login has five tries a day.
        begin_session(person)
        session = PortalSession.objects.select_related("user__portal").get(ended_at=None, pk__gt=session.pk)
        with pytest.raises(PasswordRefused):
            passwords.remove_password(session, old=SECRET)
        passwords.remove_password(session, old="another long one")
        assert not passwords.is_asked(session.user)
        session.user.portal.offers_password = False
        with pytest.raises(PasswordRefused, match="not in use"):
            passwords.set_password(session, new=SECRET)


@dataclass
class Authenticator:
    """A device with one passkey, as a browser answers for it."""

    origin: str = "http://testserver"
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    id: bytes = b"credential-of-a-test"
    handle: bytes = b""
    count: int = 0
    flags: int = 0x05  # user present and verified

    def make(self, options: dict[str, Any]) -> str:
        self.handle = websafe_decode(options["user"]["id"])
        public = ES256.from_cryptography_key(self.key.public_key())
        data = AttestedCredentialData.create(Aaguid.NONE, self.id, public)
        auth = AuthenticatorData.create(self._host(options["rp"]["id"]), self.flags | 0x40, self.count, data)
        sent = {
            "clientDataJSON": self._said("webauthn.create", options["challenge"]),
            "attestationObject": websafe_encode(AttestationObject.create("none", auth, {})),
        }
        return self._answer(sent)

    def get(self, options: dict[str, Any]) -> str:
        auth = AuthenticatorData.create(self._host(options["rpId"]), self.flags, self.count)
        said = self._said("webauthn.get", options["challenge"])
        signed = self.key.sign(auth + sha256(websafe_decode(said)).digest(), ec.ECDSA(hashes.SHA256()))
        sent = {
            "clientDataJSON": said, "authenticatorData": websafe_encode(auth), "signature": websafe_encode(signed),
            "userHandle": websafe_encode(self.handle),
        }  # fmt: skip
        return self._answer(sent)

    def _answer(self, sent: dict[str, str]) -> str:
        name = websafe_encode(self.id)
        return json.dumps({"id": name, "rawId": name, "type": "public-key", "response": sent})

    def _said(self, kind: str, challenge: str) -> str:
        return websafe_encode(json.dumps({"type": kind, "challenge": challenge, "origin": self.origin}).encode())

    def _host(self, name: str) -> bytes:
        return sha256(name.encode()).digest()


@dataclass
class Passkeys:
    """A browser in front of the addresses for passkeys."""

    portal: Portal
    client: Client

    def press(self, path: str, **data: Any) -> dict[str, Any]:
        answer = self.client.post(f"/p/{self.portal.slug}/passkey/{path}", data)
        return dict(answer.json())

    def add(self, authenticator: Authenticator) -> dict[str, Any]:
        page = self.client.get(f"/p/{self.portal.slug}/home").content.decode()
        token = page.split('name="token" value="')[1].split('"')[0]
        begun = self.press("new/options", token=token)
        return self.press("new", token=token, state=begun["state"], answer=authenticator.make(begun["options"]))

    def login(self, authenticator: Authenticator, **differs: Any) -> dict[str, Any]:
        begun = self.press("options")
        answer = authenticator.get(begun["options"])
        return self.press("login", **{"state": begun["state"], "answer": answer, **differs})

    @property
    def is_in(self) -> bool:
        return self.client.get(f"/p/{self.portal.slug}/home").status_code == 200


class TestPasskey:
    """Made inside, and then a way in of its own."""

    @pytest.fixture
    def key(self, drivers: Portal) -> Authenticator:
        """The passkey of a person who has a password too."""
        client = Client()
        client.cookies["hg_portal"] = begin_session(make_person(drivers, password=make_password(SECRET)))
        key = Authenticator()
        assert Passkeys(drivers, client).add(key) == {"done": True}
        return key

    @pytest.fixture
    def door(self, drivers: Portal) -> Passkeys:
        return Passkeys(drivers, Client())

    def test_logs_in_without_a_code_and_a_password(self, door: Passkeys, key: Authenticator) -> None:
        assert door.login(key) == {"go": "/p/drivers/home"}
        assert door.is_in
        row = PortalPasskey.objects.get()
        assert row.last_used_at is not None and PortalLogin.objects.get().how == "passkey"

    def test_is_asked_for_finger_face_or_pin(self, door: Passkeys, key: Authenticator) -> None:
        key.flags = 0x01
        assert "error" in door.login(key) and not door.is_in

    def test_a_challenge_is_good_once_for_one_portal_and_one_purpose(
        self, cast: Cast, drivers: Portal, door: Passkeys, key: Authenticator
    ) -> None:
        begun = door.press("options")
        sent = {"state": begun["state"], "answer": key.get(begun["options"])}
        elsewhere = Passkeys(make_portal(cast.organization, slug="suppliers"), Client())
        assert "error" in elsewhere.press("login", **sent)
        assert "go" in door.press("login", **sent)
        assert "error" in Passkeys(drivers, Client()).press("login", **sent), "a replay"

    def test_of_another_portal_is_unknown(self, cast: Cast, key: Authenticator) -> None:
        elsewhere = Passkeys(make_portal(cast.organization, slug="suppliers"), Client())
        assert "is not one of this portal" in elsewhere.login(key)["error"]

    @pytest.mark.parametrize("forged", ["origin", "key", "challenge", "counter", "handle", "state", "answer"])
    def test_a_forged_answer_lets_nobody_in(self, door: Passkeys, key: Authenticator, forged: str) -> None:
        differs: dict[str, Any] = {}
        if forged == "origin":
            key.origin = "http://testserver.evil.example"
        if forged == "key":
            key.key = ec.generate_private_key(ec.SECP256R1())
        if forged == "challenge":
            differs["state"] = door.press("options")["state"]
        if forged == "counter":
            key.count = 5
            assert "go" in door.login(key)
            door.client = Client()
        if forged == "handle":
            key.handle = b"somebody else 16"
        if forged == "state":
            differs["state"] = "x"
        for answer in ["", "[]", "{}", "null", '{"id": 1}', "x" * 30_000] if forged == "answer" else [None]:
            answered = door.login(key, **({"answer": answer} if answer is not None else differs))
            assert "error" in answered and not door.is_in, answer

    def test_of_somebody_suspended_says_so(self, door: Passkeys, key: Authenticator) -> None:
        PortalUser.objects.update(status="suspended")
        assert "Your access is suspended" in door.login(key)["error"] and not door.is_in
        assert PortalLogin.objects.get().outcome == "turned_away"

    def test_is_refused_where_the_portal_has_none(self, door: Passkeys, key: Authenticator, visitor: Visitor) -> None:
        assert "Log in with a passkey" in visitor.open().text
        begun = door.press("options")
        Portal.objects.update(offers_passkeys=False)
        assert "Passkeys are not in use here." in door.press("options")["error"]
        answered = door.press("login", state=begun["state"], answer=key.get(begun["options"]))
        assert "error" in answered and not door.is_in
        assert "Log in with a passkey" not in visitor.open().text

    def test_is_kept_once_and_ten_at_most(self, drivers: Portal, key: Authenticator) -> None:
        person = PortalUser.objects.get()
        client = Client()
        client.cookies["hg_portal"] = begin_session(person)
        assert "kept already" in Passkeys(drivers, client).add(key)["error"]
        for number in range(9):
            another = PortalPasskey.objects.get(credential_id=websafe_encode(key.id))
            another.pk, another.credential_id = None, f"more-{number}"
            another.save(force_insert=True)
        page = client.get("/p/drivers/home").content.decode()
        token = page.split('name="token" value="')[1].split('"')[0]
        assert "Remove one first." in Passkeys(drivers, client).press("new/options", token=token)["error"]

    def test_is_made_in_the_session_that_asked(self, drivers: Portal, key: Authenticator) -> None:
        person = make_person(drivers, phone="+4915112345670")
        browsers = [Client(), Client()]
        tokens = []
        for browser in browsers:
            browser.cookies["hg_portal"] = begin_session(person)
            page = browser.get("/p/drivers/home").content.decode()
            tokens.append(page.split('name="token" value="')[1].split('"')[0])
        begun = Passkeys(drivers, browsers[0]).press("new/options", token=tokens[0])
        fresh = Authenticator(id=b"another")
        answered = Passkeys(drivers, browsers[1]).press(
            "new", token=tokens[1], state=begun["state"], answer=fresh.make(begun["options"])
        )
        assert "error" in answered and PortalPasskey.objects.count() == 1

    def test_stops_the_lapse_of_a_password_and_tells_of_a_new_device(
        self, drivers: Portal, door: Passkeys, key: Authenticator
    ) -> None:
        person = PortalUser.objects.get()
        PortalUser.objects.update(password_lapses_at=Now() + timedelta(hours=3))
        assert "go" in door.login(key)
        person.refresh_from_db()
        assert person.password_lapses_at is None and not PortalSending.objects.exists()
        assert "go" in Passkeys(drivers, Client()).login(key)
        assert PortalSending.objects.get().kind == "new_login"
