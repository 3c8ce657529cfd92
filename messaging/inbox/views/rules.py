"""Pages of keyword rules and office hours: what is answered without a person."""

import uuid
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from integrations.organizations.network import client_ip
from integrations.organizations.pages import MemberRequest, member_page
from integrations.organizations.roles import Capability
from messaging.consent.keywords import classify
from messaging.consent.policy import policy_of as consent_policy_of
from messaging.inbox import ruling
from messaging.inbox.automatic import foresee
from messaging.inbox.forms import HoursForm, RuleForm
from messaging.inbox.models import KeywordRule
from messaging.inbox.office_hours import is_staffed, policy_of
from messaging.inbox.ruling import RuleProblem

_MAY = Capability.MANAGE_ORGANIZATION
_KEYWORDS = {
    "stop": "The person is opted out. This is understood before all rules, and cannot be changed by one.",
    "start": "The person is opted in again. This is understood before all rules.",
    "help": "Help is answered before all rules.",
}


@require_safe
@member_page(_MAY)
def rule_list(request: MemberRequest) -> HttpResponse:
    """List the rules in the order in which they are looked at."""
    return _list(request)


@member_page(_MAY)
@require_POST
def try_rules(request: MemberRequest) -> HttpResponse:
    """Say what would happen to a text; nothing is sent and nothing is stored."""
    typed = request.POST.get("text", "").replace("\x00", "")[:2_000]
    return _list(request, typed=typed, outcome=_outcome(request, typed) if typed.strip() else None)


def _outcome(request: MemberRequest, text: str) -> dict[str, Any]:
    keyword = classify(text, policy=consent_policy_of(request.organization))
    if keyword is not None:
        return {"keyword": _KEYWORDS[keyword]}
    consequence = foresee(request.organization, body=text, at=timezone.now())
    return {"rule": consequence.rule, "is_away": consequence.is_away}


def _list(request: MemberRequest, *, typed: str = "", outcome: dict[str, Any] | None = None) -> HttpResponse:
    context = {
        "title": "Keyword rules",
        "lead": "What happens by itself when a text says certain words. The first rule that fits decides.",
        "rules": KeywordRule.objects.filter(organization=request.organization),
        "typed": typed,
        "outcome": outcome,
    }
    part = "_outcome" if request.htmx else "rule_list"
    return render(request, f"messaging/inbox/{part}.html", context)


@member_page(_MAY)
def rule_new(request: MemberRequest) -> HttpResponse:
    """Make a rule."""
    return _edit(request, None)


@member_page(_MAY)
def rule_edit(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Change a rule."""
    return _edit(request, _rule(request, pk))


def _edit(request: MemberRequest, rule: KeywordRule | None) -> HttpResponse:
    initial: dict[str, Any] = {"pause_minutes": 60}
    if rule is not None:
        names = ("name", "match", "reply", "tag", "opts_out", "pause_minutes")
        initial = {**{name: getattr(rule, name) for name in names}, "words": "\n".join(rule.words)}
    form = RuleForm(request.POST if request.method == "POST" else None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            saved = ruling.save_rule(
                request.organization, rule=rule, details=form.details(), actor=request.user, ip=client_ip(request)
            )
        except RuleProblem as problem:
            form.add_error(problem.field, problem.detail)
        else:
            messages.success(request, f"“{saved.name}” is saved.")
            return redirect("inbox:rules")
    context = {"title": f"Edit {rule.name}" if rule else "New keyword rule", "form": form}
    return render(request, "messaging/inbox/rule_form.html", context, status=422 if form.errors else 200)


@member_page(_MAY)
@require_POST
def rule_act(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Switch, move or delete a rule."""
    rule, wish = _rule(request, pk), request.POST.get("do", "")
    who: dict[str, Any] = {"actor": request.user, "ip": client_ip(request)}
    if wish in {"on", "off"}:
        ruling.switch_rule(rule, is_on=wish == "on", **who)
    elif wish in {"up", "down"}:
        ruling.move_rule(rule, up=wish == "up", **who)
    elif wish == "delete":
        ruling.delete_rule(rule, **who)
        messages.success(request, f"“{rule.name}” was deleted.")
    else:
        messages.error(request, "Choose what shall happen with the rule.")
    return redirect("inbox:rules")


@member_page(_MAY)
def office_hours(request: MemberRequest) -> HttpResponse:
    """Set when somebody is there, and what is answered when nobody is."""
    organization = request.organization
    policy = policy_of(organization)
    initial: dict[str, Any] = {
        "is_on": policy.is_on,
        "text": policy.text,
        "holidays": "\n".join(policy.holidays),
        **{f"from_{day}": begin for day, begin, _ in policy.hours},
        **{f"until_{day}": end for day, _, end in policy.hours},
    }
    form = HoursForm(request.POST if request.method == "POST" else None, initial=initial)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            ruling.save_policy(
                organization,
                is_on=data["is_on"],
                text=data["text"],
                hours=form.hours(),
                holidays=data["holidays"],
                actor=request.user,
                ip=client_ip(request),
            )
        except RuleProblem as problem:
            form.add_error(problem.field, problem.detail)
        else:
            messages.success(request, "Saved.")
            return redirect("inbox:hours")
    context = {
        "title": "Office hours",
        "lead": "What is answered by itself when nobody is there.",
        "form": form,
        "is_staffed": is_staffed(policy, organization, at=timezone.now()),
        "policy": policy,
    }
    return render(request, "messaging/inbox/hours.html", context, status=422 if form.errors else 200)


def _rule(request: MemberRequest, pk: uuid.UUID) -> KeywordRule:
    return get_object_or_404(
        KeywordRule.objects.select_related("organization"), organization=request.organization, pk=pk
    )
