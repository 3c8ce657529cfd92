"""Passkeys: made by who is logged in, and then a way in without a number or a code.

WebAuthn (https://www.w3.org/TR/webauthn-3/) by the library fido2. A passkey is bound to the host it was made at, the
person's own device asks for finger, face or PIN each time (user verification), and each challenge is signed by us for
one portal, one purpose and five minutes, and good once.
"""

import json
import struct
import uuid
from collections.abc import Mapping
from datetime import timedelta
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

from cryptography.exceptions import UnsupportedAlgorithm
from django.core import signing
from django.db import IntegrityError, transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _
from fido2.server import Fido2Server
from fido2.utils import websafe_encode
from fido2.webauthn import (
    AttestedCredentialData,
    AuthenticationResponse,
    PublicKeyCredentialRpEntity,
    PublicKeyCredentialUserEntity,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from integrations.clock import database_now
from integrations.masking import mask_phone
from messaging.verification.challenge import spend

from .models import Portal, PortalPasskey, PortalSession, PortalUser

MOST = 10
LASTS = timedelta(minutes=5)
_SALT = "portal.accounts.passkey"
_LONGEST = 20_000
# What a crafted answer makes of a library that reads one.
_UNREADABLE = (ValueError, TypeError, KeyError, IndexError, AttributeError, AssertionError, struct.error,
               UnsupportedAlgorithm, RecursionError)  # fmt: skip


class PasskeyRefused(Exception):
    """Nothing was done: a stable `code` and a sentence for the person. Codes: off, failed, unknown, many, known."""

    def __init__(self, code: str, visitor: str) -> None:
        super().__init__(visitor)
        self.code, self.visitor = code, visitor


def are_offered(portal: Portal) -> bool:
    """Tell whether the portal takes passkeys."""
    return portal.offers_passkeys


def begin_registration(session: PortalSession, *, origin: str) -> dict[str, Any]:
    """Return what the browser needs to make a passkey, and the `state` that it brings back; raise PasskeyRefused."""
    user = session.user
    _check_offered(user.portal)
    known = [AttestedCredentialData(bytes(row.credential)) for row in user.passkeys.all()]
    if len(known) >= MOST:
        raise PasskeyRefused("many", _("You have as many passkeys as there can be. Remove one first."))
    entity = PublicKeyCredentialUserEntity(
        id=user.pk.bytes, name=mask_phone(user.phone), display_name=f"{user.name or mask_phone(user.phone)}"
    )
    options, state = _server(user.portal, origin).register_begin(
        entity,
        known,
        resident_key_requirement=ResidentKeyRequirement.REQUIRED,
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return {"options": dict(options.public_key), "state": _seal(state, f"add:{session.pk.hex}")}


def finish_registration(session: PortalSession, *, origin: str, state: str, answer: str, label: str) -> PortalPasskey:
    """Keep the passkey that the browser made; raise PasskeyRefused."""
    user = session.user
    _check_offered(user.portal)
    opened = _open(state, f"add:{session.pk.hex}")
    try:
        made = _server(user.portal, origin).register_complete(opened, _read(answer))
    except _UNREADABLE as error:
        raise _failed() from error
    credential = made.credential_data
    if credential is None:
        raise _failed()
    try:
        with transaction.atomic():
            return PortalPasskey.objects.create(
                user=user,
                credential_id=websafe_encode(credential.credential_id),
                credential=bytes(credential),
                sign_count=made.counter,
                label=label[:80],
            )
    except IntegrityError as error:
        raise PasskeyRefused("known", _("This passkey is kept already.")) from error


def begin_login(portal: Portal, *, origin: str) -> dict[str, Any]:
    """Return what the browser needs to ask for a passkey; it says nothing of anybody. Raise PasskeyRefused."""
    _check_offered(portal)
    options, state = _server(portal, origin).authenticate_begin(user_verification=UserVerificationRequirement.REQUIRED)
    return {"options": dict(options.public_key), "state": _seal(state, f"in:{portal.pk.hex}")}


def finish_login(portal: Portal, *, origin: str, state: str, answer: str) -> PortalUser:
    """Return whose passkey it is, whatever their status; raise PasskeyRefused."""
    _check_offered(portal)
    opened = _open(state, f"in:{portal.pk.hex}")
    try:
        sent = AuthenticationResponse.from_dict(_read(answer))
        row = (
            PortalPasskey.objects.select_related("user__contact")
            .filter(user__portal=portal, credential_id=websafe_encode(sent.raw_id))
            .first()
        )
        if row is None:
            raise PasskeyRefused("unknown", _("This passkey is not one of this portal. Log in with your number."))
        _server(portal, origin).authenticate_complete(opened, [AttestedCredentialData(bytes(row.credential))], sent)
        handle, count = sent.response.user_handle, sent.response.authenticator_data.counter
    except _UNREADABLE as error:
        raise _failed() from error
    # A counter that does not grow is that of a copy; most passkeys count nothing and say 0.
    if (handle is not None and handle != row.user.pk.bytes) or (count and count <= row.sign_count):
        raise _failed()
    PortalPasskey.objects.filter(pk=row.pk).update(sign_count=count, last_used_at=Now())
    row.user.portal = portal
    return row.user


def remove_passkey(user: PortalUser, passkey_id: uuid.UUID) -> bool:
    """Take a passkey away; False where the person has none such."""
    count, _by_model = PortalPasskey.objects.filter(user=user, pk=passkey_id).delete()
    return bool(count)


def _check_offered(portal: Portal) -> None:
    if not are_offered(portal):
        raise PasskeyRefused("off", _("Passkeys are not in use here. Log in with your number."))


def _server(portal: Portal, origin: str) -> Fido2Server:
    host = urlsplit(origin).hostname or ""
    entity = PublicKeyCredentialRpEntity(id=host, name=portal.name)
    return Fido2Server(entity, verify_origin=lambda said: said == origin)


def _seal(state: Mapping[str, Any], purpose: str) -> str:
    return signing.dumps([purpose, state["challenge"]], salt=_SALT)


def _open(sealed: str, purpose: str) -> dict[str, Any]:
    """Return the state of a challenge of ours, and use it up."""
    try:
        said, challenge = signing.loads(sealed[:1000], salt=_SALT, max_age=LASTS)
    except (signing.BadSignature, ValueError, TypeError) as error:
        raise _failed() from error
    if said != purpose or not spend(sha256(challenge.encode()).hexdigest(), database_now() + LASTS):
        raise _failed()
    return {"challenge": challenge, "user_verification": UserVerificationRequirement.REQUIRED}


def _read(answer: str) -> Mapping[str, Any]:
    found = json.loads(answer) if len(answer) <= _LONGEST else None
    if not isinstance(found, dict):
        raise ValueError("An answer of a browser is a record.")
    return found


def _failed() -> PasskeyRefused:
    return PasskeyRefused("failed", _("This did not work. Try again, or log in with your number."))
