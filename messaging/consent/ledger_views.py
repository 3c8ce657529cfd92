"""Pages of consent: what was agreed and taken back, the proof that a STOP was obeyed, and the organization's rules."""

import uuid
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from integrations.organizations.audit import record as audit
from integrations.organizations.models import as_uuid
from integrations.organizations.network import client_ip
from integrations.organizations.pages import MemberRequest, member_page
from integrations.organizations.roles import Capability
from integrations.organizations.search_memory import key_of, recall, remember
from integrations.phones import Phone, PhoneProblem, parse_phone
from messaging.contacts.models import Contact
from messaging.csv_files.writing import csv_response

from . import ledger_selectors, proof
from .configuring import change_policy, senders_of, who_answers_whom
from .forms import PolicyForm, RecordForm
from .ledger import Entry, Source, record_consent, state_of
from .models import ConsentRecord
from .opt_outs import find_block
from .period import read_period
from .policy import policy_of

_ASKED = ("q", "since", "until")


@member_page(Capability.VIEW)
def report(request: MemberRequest) -> HttpResponse:
    """Show what was agreed and taken back in a period; a number arrives by POST: it must not stand in an address."""
    if request.method == "POST":
        key = remember(request, wanted={name: request.POST.get(name, "") for name in _ASKED})
        return redirect(reverse("consents:report") + (f"?search={key}" if key else ""))
    wanted, phone, problem = _wanted(request)
    period = read_period(request.organization, wanted)
    number = phone.e164 if phone else ""
    shown = {} if problem else _rows(request, number, period)
    context = {
        "title": "Consent",
        "lead": "Who agreed to what, when and how: a ledger that is only added to.",
        "period": period,
        "q": wanted.get("q", ""),
        "phone": number,
        "problem": problem,
        "search": key_of(request),
        "may_export": request.member.can(Capability.EDIT_CONTACTS),
        "may_configure": request.member.can(Capability.MANAGE_ORGANIZATION),
        **shown,
    }
    return render(request, "messaging/consent/report.html", context, status=200)


@member_page(Capability.EDIT_CONTACTS)
@require_POST
def export(request: MemberRequest) -> HttpResponseBase:
    """Give the records of a period, of everybody or of one number, as a file for spreadsheets."""
    wanted, phone, problem = _wanted(request)
    if problem:
        messages.error(request, problem)
        return redirect("consents:report")
    period = read_period(request.organization, wanted)
    rows = ledger_selectors.records_of(
        request.organization, phone=phone.e164 if phone else "", since=period.since, until=period.until
    )
    _note_export(request, "consent.exported", period)
    return csv_response(
        name=f"consent-{period.first}-{period.last}.csv",
        header=ledger_selectors.EXPORT_HEADER,
        rows=ledger_selectors.export_rows(rows),
    )


@member_page(Capability.VIEW)
def proof_page(request: MemberRequest) -> HttpResponse:
    """Show that nothing began to be sent after an opt-out."""
    period = read_period(request.organization, request.GET.dict())
    after = as_uuid(request.GET.get("after"))
    rows = proof.proof_rows(request.organization, since=period.since, until=period.until, after=after)
    context = {
        "title": "Proof: nothing was sent after STOP",
        "lead": "Every opt-out of a period, and what began to be sent to the number more than a second after it.",
        "period": period,
        "proof": proof.prove(request.organization, since=period.since, until=period.until),
        "rows": rows[: proof.PAGE],
        "next": rows[proof.PAGE - 1].id if len(rows) > proof.PAGE else None,
        "is_first": after is None,
        "may_export": request.member.can(Capability.EDIT_CONTACTS),
    }
    return render(request, "messaging/consent/proof.html", context)


@member_page(Capability.EDIT_CONTACTS)
@require_POST
def proof_export(request: MemberRequest) -> HttpResponseBase:
    """Give the proof as a file for spreadsheets."""
    period = read_period(request.organization, request.POST.dict())
    rows = proof.all_proof_rows(request.organization, since=period.since, until=period.until)
    _note_export(request, "consent.proof_exported", period)
    return csv_response(
        name=f"opt-outs-{period.first}-{period.last}.csv",
        header=proof.EXPORT_HEADER,
        rows=proof.export_rows(rows),
    )


@member_page(Capability.EDIT_CONTACTS)
def record_page(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Record what a contact agreed to or took back, with how one knows."""
    contact = get_object_or_404(
        Contact.objects.select_related("organization"), organization=request.organization, pk=pk
    )
    action = request.GET.get("action", "")
    initial = {"purpose": request.GET.get("purpose", ""), "action": action or ConsentRecord.Action.GRANTED}
    form = RecordForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        entry = Entry(
            phone=contact.phone,
            purpose=said["purpose"],
            action=said["action"],
            source=Source.STAFF,
            reason=said["reason"],
        )
        record_consent(request.organization, entry, actor=request.user, ip=client_ip(request))
        messages.success(request, _said(request, contact, granted=said["action"] == ConsentRecord.Action.GRANTED))
        return redirect("contacts:detail", pk=pk)
    context = {
        "title": f"Consent of {contact.name or 'this contact'}",
        "contact": contact,
        "form": form,
        "state": state_of(request.organization, phone=contact.phone),
    }
    return render(request, "messaging/consent/record.html", context, status=422 if form.is_bound else 200)


@member_page(Capability.MANAGE_ORGANIZATION)
def policy_page(request: MemberRequest) -> HttpResponse:
    """Show and change the organization's rules of consent."""
    policy = policy_of(request.organization)
    form = PolicyForm(request.POST or None, instance=policy, senders=senders_of(request.organization, policy))
    if request.method == "POST" and form.is_valid():
        values = {name: form.cleaned_data[name] for name in PolicyForm.Meta.fields}
        values["sender_answers"] = form.sender_answers()
        changed = change_policy(request.organization, values=values, actor=request.user, ip=client_ip(request))
        messages.success(request, "Saved." if changed else "Nothing was different, so nothing was changed.")
        return redirect("consents:policy")
    context = {
        "title": "Consent and opt-outs",
        "lead": "How far a STOP reaches, which words count, and what is answered.",
        "form": form,
        "senders": who_answers_whom(request.organization, policy_of(request.organization)),
    }
    return render(request, "messaging/consent/policy.html", context, status=422 if form.is_bound else 200)


def _wanted(request: MemberRequest) -> tuple[dict[str, str], Phone | None, str]:
    """Return what was asked for, the number in it, and what is wrong with that."""
    key = request.POST.get("search", "") if request.method == "POST" else key_of(request)
    wanted = recall(request, key=key) or {name: request.GET.get(name, "") for name in ("since", "until")}
    typed = wanted.get("q", "").strip()
    if not typed:
        return wanted, None, ""
    try:
        return wanted, parse_phone(typed[:60], region=request.organization.default_region, allow_magic=True), ""
    except PhoneProblem as problem:
        return wanted, None, problem.message


def _rows(request: MemberRequest, phone: str, period: Any) -> dict[str, Any]:
    rows = ledger_selectors.records_of(request.organization, phone=phone, since=period.since, until=period.until)
    page = ledger_selectors.page_of(rows, after=as_uuid(request.GET.get("after")))
    by_phone = Contact.objects.filter(organization=request.organization, phone__in={row.phone for row in page.rows})
    contacts = {contact.phone: contact for contact in by_phone}
    return {
        "report": ledger_selectors.report_of(request.organization, since=period.since, until=period.until, phone=phone),
        "page": page,
        "rows": [(row, contacts.get(row.phone)) for row in page.rows],
    }


def _said(request: MemberRequest, contact: Contact, *, granted: bool) -> str:
    name = contact.name or "The contact"
    if not granted:
        return f"Recorded: {name} took the consent back. What waits for them is looked at again before it goes."
    if find_block(request.organization, phone=contact.phone, purpose="transactional") is not None:
        return f"Recorded. {name} is opted out all the same: nothing is sent until that has ended."
    return f"Recorded: {name} agreed."


def _note_export(request: MemberRequest, action: str, period: Any) -> None:
    audit(
        request.organization,
        actor=request.user,
        action=action,
        changes={"from": str(period.first), "to": str(period.last)},
        ip=client_ip(request),
    )
