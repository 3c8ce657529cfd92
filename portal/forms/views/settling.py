"""What surrounds the questions of a form: its overview with link, QR code and snippet, its words, looks and rules."""

import uuid

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from integrations.organizations.network import client_ip
from integrations.organizations.pages import MemberRequest, member_page
from integrations.organizations.roles import Capability
from portal.forms import building
from portal.forms.forms import CloseForm, LookForm, RulesForm
from portal.forms.models import FormPicture, Submission
from portal.forms.pictures import PictureProblem, picture_response, remove_picture, set_picture
from portal.forms.receiving import sent_files, takes_files
from portal.forms.selectors import pictures_of
from portal.forms.settling import change_form, set_password
from portal.forms.sharing import public_address, qr_svg, snippet

from .frame import act, context_of, form_of


@member_page(Capability.VIEW)
def detail(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Show how the form stands and how it is shared."""
    form = form_of(request, pk)
    sent = Submission.objects.filter(form=form)
    address = public_address(form)
    context = {
        **context_of(request, form, tab="detail"),
        "address": address,
        "qr": qr_svg(address),
        "snippet": snippet(form),
        "sent": sent.count(),
        "last": sent.order_by("-id").values_list("created_at", flat=True).first(),
    }
    return render(request, "portal/forms/detail.html", context)


@require_safe
@member_page(Capability.VIEW)
def qr(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Give out the QR code of the form's address, to be printed."""
    form = form_of(request, pk)
    response = HttpResponse(qr_svg(public_address(form), with_size=True), content_type="image/svg+xml")
    response["Content-Disposition"] = f'attachment; filename="form-{form.token[:6]}.svg"'
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-store"
    return response


@member_page(Capability.EDIT_FORMS)
def look(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Change words, languages, colour, and what follows a submission."""
    row = form_of(request, pk)
    form = LookForm(request.POST, organization=request.organization) if request.method == "POST" else LookForm.of(row)
    if request.method == "POST" and form.is_valid():
        changed = change_form(row, values=form.values(), actor=request.user, ip=client_ip(request))
        messages.success(request, "Saved." if changed else "Nothing was changed.")
        return redirect("forms:look", pk=pk)
    context = {**context_of(request, row, tab="look"), "form": form, "pictures": picture_places(pictures_of(row))}
    return render(request, "portal/forms/look.html", context, status=422 if form.is_bound else 200)


@member_page(Capability.EDIT_FORMS)
@require_POST
@takes_files
def picture_set(request: MemberRequest, pk: uuid.UUID, place: str) -> HttpResponse:
    """Take a logo or a cover, or take it away."""
    form = form_of(request, pk)
    if place not in FormPicture.Place.values:
        raise Http404("There is no such place.")
    sent = sent_files(request).get("file")

    def verb() -> str:
        if request.POST.get("do") == "remove":
            remove_picture(form, place=place, actor=request.user, ip=client_ip(request))
            return "The picture is gone."
        if sent is None:
            raise PictureProblem("Choose a picture first.")
        set_picture(form, place=place, sent=sent, actor=request.user, ip=client_ip(request))
        return "The picture is in its place."

    return act(request, form, verb, then="look")


@require_safe
@member_page(Capability.VIEW)
def picture(request: MemberRequest, pk: uuid.UUID, picture_pk: uuid.UUID) -> HttpResponse:
    """Give out a picture of the form to members, also before it is published."""
    found = FormPicture.objects.filter(form=form_of(request, pk), pk=picture_pk).first()
    if found is None:
        raise Http404("There is no such picture.")
    response = picture_response(found)
    response["Cache-Control"] = "private, max-age=3600"
    return response


@member_page(Capability.EDIT_FORMS)
def rules(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Change when, how often and to whom the form is open, and where it may be embedded."""
    row = form_of(request, pk)
    is_sent = request.method == "POST"
    form = RulesForm(request.POST, organization=request.organization) if is_sent else RulesForm.of(row)
    if is_sent and form.is_valid():
        data, ip = form.cleaned_data, client_ip(request)
        change_form(row, values=data, actor=request.user, ip=ip)
        if data["password"] or data["no_password"]:
            set_password(row, password=data["password"], actor=request.user, ip=ip)
        messages.success(request, "Saved. It holds from now on.")
        return redirect("forms:rules", pk=pk)
    context = {**context_of(request, row, tab="rules"), "form": form}
    return render(request, "portal/forms/rules.html", context, status=422 if is_sent else 200)


@member_page(Capability.EDIT_FORMS)
@require_POST
def form_close(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Close the form, with words for those who come afterwards."""
    form, asked = form_of(request, pk), CloseForm(request.POST)

    def verb() -> str:
        if not asked.is_valid():
            raise building.BuildingProblem("The text for visitors has at most 1,000 characters. Shorten it.")
        message = asked.cleaned_data["message"]
        if not building.close_form(form, message=message, actor=request.user, ip=client_ip(request)):
            raise building.BuildingProblem("It was not open.")
        return "The form is closed. Whoever opens its link reads so."

    return act(request, form, verb)


@member_page(Capability.EDIT_FORMS)
@require_POST
def link_renew(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Give the form a new address."""
    form = form_of(request, pk)

    def verb() -> str:
        building.renew_link(form, actor=request.user, ip=client_ip(request))
        return "The form has a new link. Replace the former one wherever you put it, and print the QR code anew."

    return act(request, form, verb)


@member_page(Capability.EDIT_FORMS)
def form_delete(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Delete a form with what was sent by it, once the member has read what that means."""
    form = form_of(request, pk)
    if request.method == "POST":
        count = building.delete_form(form, actor=request.user, ip=client_ip(request))
        messages.success(request, f"“{form.title}” is deleted, with {count:,} submission{'' if count == 1 else 's'}.")
        return redirect("forms:list")
    context = {
        **context_of(request, form, tab=""),
        "title": f"Delete {form.title}?",
        "sent": Submission.objects.filter(form=form).count(),
    }
    return render(request, "portal/forms/delete.html", context)


def picture_places(pictures: dict[str, FormPicture]) -> list[tuple[str, str, str, FormPicture | None]]:
    """Return place, name, what fits there, and the picture that is there."""
    fits = {
        FormPicture.Place.LOGO: "Above the title, up to 48 pixels high. PNG, JPEG, GIF or WebP, at most 30 KB.",
        FormPicture.Place.COVER: "Over the whole width, on top, fetched last. PNG, JPEG, GIF or WebP, at most 1 MB.",
    }
    return [(place.value, place.label, words, pictures.get(place.value)) for place, words in fits.items()]
