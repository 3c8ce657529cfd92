"""Sending: what follows from a submission, what cannot be forged, and the limits of a form under parallel visitors."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection as database
from django.db.models.functions import Now
from django.utils import timezone

from integrations.connections.models import Connection
from integrations.organizations.models import AuditEntry
from messaging.consent.ledger import state_of
from messaging.consent.models import ConsentRecord
from messaging.contacts.models import AttributeDefinition, Contact
from messaging.sending.models import Message
from messaging.templates.wording import archive, create_template
from portal.forms import building
from portal.forms.answers import SentFile
from portal.forms.drafting import bind_verification, find_draft, forget_old_drafts
from portal.forms.models import FormDraft, PublicForm, Submission, SubmissionFile
from portal.forms.opening import FormRefused, ensure_open, find_public_form, opens_with
from portal.forms.settling import set_password
from portal.forms.submitting import submit
from tests.conftest import Cast
from tests.factories import ContactFactory
from tests.portal.forms.conftest import PHONE, enter, publish_questions
from tests.portal.forms.proving import prove
from tests.portal.forms.samples import PNG, QUESTIONS

pytestmark = pytest.mark.django_db


def refusal(draft: FormDraft) -> str:
    with pytest.raises(FormRefused) as refused:
        submit(draft)
    assert refused.value.visitor.endswith(".")
    return refused.value.code


def test_submission_records_answers_version_and_how_the_number_was_proved(published: PublicForm) -> None:
    draft = enter(published, f3="ada@example.com", f4="M", files={"f8": SentFile("me.png", PNG)})
    verification = prove(draft, channel="whatsapp")
    submission = submit(draft)
    submission.refresh_from_db()
    assert submission.answers["f4"] == "M"
    assert submission.version == published.current
    assert (submission.phone, submission.verified_at, submission.verified_by, submission.verification_id) == (
        PHONE, verification.approved_at, "whatsapp", verification.pk,
    )  # fmt: skip
    assert (submission.language, submission.network) == ("de", "203.0.113.0/24")
    [file] = submission.files.all()
    assert (file.key, bytes(file.content), file.draft) == ("f8", PNG, None)


def test_number_that_was_not_proved_sends_nothing(published: PublicForm) -> None:
    assert refusal(enter(published)) == "not_verified"
    assert not Submission.objects.exists()


@pytest.mark.parametrize("what", ["phone", "status", "asker_id", "asker_kind", "organization", "used"])
def test_proof_of_something_else_is_none(published: PublicForm, cast: Cast, what: str) -> None:
    draft = enter(published)
    differs: dict[str, Any] = {
        "phone": {"phone": "+4915119999999"},
        "status": {"status": "pending"},
        "asker_id": {"asker_id": cast.owner.pk},
        "asker_kind": {"asker_kind": "portal"},
        "organization": {"organization": cast.other},
    }
    verification = prove(draft, **differs.get(what, {}))
    if what == "used":
        assert published.current is not None
        Submission.objects.create(
            form=published, version=published.current, phone=PHONE, verified_at=timezone.now(),
            verification_id=verification.pk,
        )  # fmt: skip
    assert refusal(draft) == "not_verified"


def test_changing_the_number_voids_the_proof(published: PublicForm) -> None:
    draft = enter(published, secret="the-secret-of-a-visitor")
    prove(draft)
    changed = enter(published, secret="the-secret-of-a-visitor", f2="+49 1511 2345679")
    assert changed.pk == draft.pk
    assert changed.verification_id is None
    assert refusal(changed) == "not_verified"
    again = enter(published, secret="the-secret-of-a-visitor")
    assert again.verification_id is None, "the former number has to be proved again"


def test_other_answers_keep_the_proof_of_the_same_number(published: PublicForm) -> None:
    draft = enter(published, secret="the-secret-of-a-visitor")
    prove(draft)
    changed = enter(published, secret="the-secret-of-a-visitor", f1="Grace")
    assert submit(changed).answers["f1"] == "Grace"


def test_verification_begun_for_a_number_that_was_changed_meanwhile_is_not_bound(published: PublicForm) -> None:
    draft = enter(published, secret="the-secret-of-a-visitor")
    enter(published, secret="the-secret-of-a-visitor", f2="+49 1511 2345679")
    assert not bind_verification(draft, draft.pk)


def test_same_draft_twice_is_one_submission(published: PublicForm) -> None:
    draft = enter(published, secret="the-secret-of-a-visitor")
    prove(draft)
    first = submit(draft)
    assert submit(draft) == first
    assert enter(published, secret="the-secret-of-a-visitor", f1="Mallory").submission == first
    first.refresh_from_db()
    assert first.answers["f1"] == "Ada", "what was sent stays as it was sent"
    kept = FormDraft.objects.get(pk=draft.pk)
    assert (kept.answers, kept.phone) == ({}, "")


def test_draft_opens_by_its_secret_on_its_form_for_a_day(published: PublicForm, plain: PublicForm) -> None:
    draft = enter(published, secret="the-secret-of-a-visitor")
    assert find_draft(published, "the-secret-of-a-visitor") == draft
    assert find_draft(published, "another") is None
    assert find_draft(plain, "the-secret-of-a-visitor") is None
    with pytest.raises(ValueError, match="another form"):
        enter(plain, secret="the-secret-of-a-visitor")
    FormDraft.objects.update(expires_at=Now() - timedelta(seconds=1))
    assert find_draft(published, "the-secret-of-a-visitor") is None
    assert refusal(draft) == "expired"
    assert forget_old_drafts() == 1


def test_files_of_drafts_are_replaced_forgotten_and_bounded(published: PublicForm, monkeypatch: Any) -> None:
    secret = "the-secret-of-a-visitor"
    enter(published, secret=secret, files={"f8": SentFile("a.png", PNG)})
    enter(published, secret=secret, files={"f8": SentFile("b.png", PNG)})
    assert [file.name for file in SubmissionFile.objects.all()] == ["b.png"]
    enter(published, secret=secret)
    assert not SubmissionFile.objects.exists()
    monkeypatch.setattr("portal.forms.drafting.MOST_WAITING", 5)
    enter(published, files={"f8": SentFile("a.png", PNG)})
    with pytest.raises(FormRefused) as refused:
        enter(published, files={"f8": SentFile("a.png", PNG)})
    assert refused.value.code == "busy"


def test_contact_is_added_with_what_was_asked_for_it(published: PublicForm, cast: Cast) -> None:
    AttributeDefinition.objects.create(organization=cast.organization, key="size", label="Size")
    questions = [{**one, "saves_as": "attr.size"} if one["key"] == "f4" else one for one in QUESTIONS]
    publish_questions(published, cast, questions)
    draft = enter(published, f3="ada@example.com", f4="M")
    prove(draft)
    contact = submit(draft).contact
    assert contact is not None
    assert (contact.name, contact.phone, contact.email, contact.language) == ("Ada", PHONE, "ada@example.com", "de")
    assert contact.attributes == {"size": "M"}
    assert AuditEntry.objects.get(action="contact.created").actor_label == "Form “Delivery slots”"


def test_proved_number_updates_its_contact_and_leaves_what_was_not_asked(published: PublicForm, cast: Cast) -> None:
    known = ContactFactory(
        organization=cast.organization, phone=PHONE, name="A. L.", email="old@example.com", notes="VIP", language="fr"
    )
    draft = enter(published)
    prove(draft)
    assert submit(draft).contact == known
    known.refresh_from_db()
    assert (known.name, known.email, known.notes, known.language) == ("Ada", "old@example.com", "VIP", "fr")


def test_number_without_proof_changes_no_contact(plain: PublicForm, cast: Cast) -> None:
    known = ContactFactory(organization=cast.organization, phone=PHONE, name="A. L.")
    submission = submit(enter(plain, f1="Mallory"))
    assert (submission.contact, submission.verified_at) == (known, None)
    known.refresh_from_db()
    assert known.name == "A. L."


def test_form_may_leave_contacts_alone_and_ask_for_no_number(plain: PublicForm, cast: Cast) -> None:
    assert submit(enter(plain, f2="")).contact is None
    PublicForm.objects.filter(pk=plain.pk).update(updates_contact=False)
    assert submit(enter(plain)).contact is None
    assert not Contact.objects.exists()


def test_consent_goes_to_the_ledger_with_its_wording_and_version(published: PublicForm, cast: Cast) -> None:
    draft = enter(published, f9="on")
    prove(draft)
    submission = submit(draft)
    [record] = ConsentRecord.objects.all()
    assert (record.phone, record.purpose, record.action, record.source) == (PHONE, "marketing", "granted", "form")
    assert record.evidence == {
        "form": "Delivery slots",
        "form_id": str(published.pk),
        "wording": "Write to me.",
        "wording_version": 1,
        "submission": str(submission.pk),
        "number_verified": True,
        "language": "de",
        "ip": "203.0.113.0/24",
    }
    state = state_of(cast.organization, phone=PHONE)
    assert state is not None
    assert state.state == "granted"


def test_box_that_was_not_ticked_is_no_consent(published: PublicForm) -> None:
    draft = enter(published)
    prove(draft)
    assert submit(draft).answers["f9"] is False
    assert not ConsentRecord.objects.exists()


def with_confirmation(form: PublicForm, cast: Cast, body: str) -> PublicForm:
    template = create_template(cast.organization, name="Thanks", body=body, actor=cast.owner)
    PublicForm.objects.filter(pk=form.pk).update(confirmation_template=template)
    form.refresh_from_db()
    return form


def test_confirmation_goes_through_the_outbox_with_the_answers(
    published: PublicForm, cast: Cast, connection: Connection
) -> None:
    with_confirmation(published, cast, "Thanks {{ first_name }}, size {{ answer.f4 }} by {{ form }}.")
    draft = enter(published, f4="M")
    prove(draft)
    submission = submit(draft)
    message = Message.objects.get()
    assert submission.confirmation == message
    assert (message.phone, message.body, message.source, message.contact) == (
        PHONE, "Thanks Ada, size M by Delivery slots.", "form", submission.contact,
    )  # fmt: skip


@pytest.mark.parametrize("trouble", ["no_connection", "missing", "archived"])
def test_confirmation_that_cannot_go_says_why_and_the_submission_stands(
    published: PublicForm, cast: Cast, trouble: str, request: pytest.FixtureRequest
) -> None:
    if trouble != "no_connection":
        request.getfixturevalue("connection")
    body = "Thanks {{ answer.f4 }}." if trouble == "missing" else "Thanks."
    with_confirmation(published, cast, body)
    if trouble == "archived":
        assert published.confirmation_template is not None
        archive(published.confirmation_template, actor=cast.owner)
    draft = enter(published)
    prove(draft)
    submission = submit(draft)
    assert submission.confirmation is None
    assert submission.confirmation_problem.endswith(".") or "Connect Twilio" in submission.confirmation_problem
    assert not Message.objects.exists()


def test_number_without_proof_gets_no_confirmation(plain: PublicForm, cast: Cast, connection: Connection) -> None:
    with_confirmation(plain, cast, "Thanks.")
    assert submit(enter(plain)).confirmation is None
    assert not Message.objects.exists()


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"state": "closed"}, "not_open"),
        ({"opens_at": timedelta(hours=1)}, "not_yet"),
        ({"closes_at": timedelta(hours=-1)}, "over"),
        ({"limit_total": 1}, "full"),
        ({"limit_per_number": 1}, "number_used"),
    ],
)
def test_form_that_closed_while_it_was_filled_in_takes_nothing(
    plain: PublicForm, values: dict[str, Any], code: str
) -> None:
    submit(enter(plain))
    draft = enter(plain)
    now = timezone.now()
    changes = {name: now + value if isinstance(value, timedelta) else value for name, value in values.items()}
    PublicForm.objects.filter(pk=plain.pk).update(**changes)
    assert refusal(draft) == code
    assert Submission.objects.count() == 1


def test_words_of_a_closed_form_are_the_organizations_own(plain: PublicForm, cast: Cast) -> None:
    building.close_form(plain, message="Come back in May.", actor=cast.owner)
    with pytest.raises(FormRefused, match="Come back in May"):
        ensure_open(plain)


def test_limit_per_number_leaves_other_numbers_alone(plain: PublicForm) -> None:
    PublicForm.objects.filter(pk=plain.pk).update(limit_per_number=1)
    submit(enter(plain))
    assert refusal(enter(plain)) == "number_used"
    assert submit(enter(plain, f2="+49 1511 2345679")).pk


def test_suspended_organization_and_draft_have_no_public_form(plain: PublicForm, form: PublicForm, cast: Cast) -> None:
    assert find_public_form(plain.token) == plain
    assert find_public_form(form.token) is None
    assert find_public_form("nothing-like-that") is None
    assert find_public_form("\x00" * 16) is None
    draft = enter(plain)
    type(cast.organization).objects.filter(pk=cast.organization.pk).update(status="suspended")
    assert find_public_form(plain.token) is None
    assert refusal(draft) == "not_open"


def test_draft_of_an_earlier_version_is_sent_as_it_was_asked(plain: PublicForm, cast: Cast) -> None:
    draft = enter(plain, f3="Morning")
    first = plain.current
    building.remove_field(plain, key="f3")
    building.publish(plain, actor=cast.owner)
    assert submit(draft).version == first


def test_answers_that_are_changed_later_are_those_of_the_later_version(plain: PublicForm, cast: Cast) -> None:
    enter(plain, secret="the-secret-of-a-visitor")
    building.change_field(plain, key="f2", values={"label": "Mobile", "verify": True})
    version = building.publish(plain, actor=cast.owner)
    draft = enter(plain, secret="the-secret-of-a-visitor", f3="Evening")
    assert draft.version == version
    assert refusal(draft) == "not_verified", "what was begun without proof does not get past it"


def test_password_opens_the_form_and_is_kept_as_a_hash(plain: PublicForm, cast: Cast) -> None:
    assert opens_with(plain, "anything")
    set_password(plain, password="harbour", actor=cast.owner)
    assert "harbour" not in plain.password
    assert opens_with(plain, "harbour")
    assert not opens_with(plain, "Harbour")
    assert "harbour" not in str(list(AuditEntry.objects.values_list("changes", "object_label")))
    set_password(plain, password="", actor=cast.owner)
    assert opens_with(plain, "")


@pytest.mark.django_db(transaction=True)
def test_limit_holds_and_a_proof_serves_once_for_parallel_visitors(plain: PublicForm) -> None:
    PublicForm.objects.filter(pk=plain.pk).update(limit_total=3)
    drafts = [enter(plain, f2=f"+49 1511 234567{number}") for number in range(6)]
    outcomes: list[str] = []

    def send(draft: FormDraft) -> None:
        try:
            submit(draft)
            outcomes.append("sent")
        except FormRefused as refused:
            outcomes.append(refused.code)
        finally:
            database.close()

    threads = [threading.Thread(target=send, args=[draft]) for draft in (*drafts, *drafts[:1])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Submission.objects.count() == 3
    assert set(outcomes) == {"sent", "full"}
