"""An organization's own settings."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from integrations.organizations.configuring import change_settings
from integrations.organizations.forms import SettingsForm
from integrations.organizations.models import Organization
from integrations.organizations.network import client_ip
from integrations.organizations.pages import MemberRequest, member_page
from integrations.organizations.registry import settings_pages
from integrations.organizations.roles import Capability


@require_http_methods(["GET", "HEAD", "POST"])
@member_page(Capability.MANAGE_ORGANIZATION)
def settings_page(request: MemberRequest) -> HttpResponse:
    """Show and change name, country, time zone and language."""
    # A row of its own: a form that does not validate must not rename the organization in the frame around it.
    row = Organization.objects.get(pk=request.organization.pk)
    form = SettingsForm(request.POST or None, instance=row)
    if request.method == "POST" and form.is_valid():
        changes = change_settings(
            request.organization, values=form.cleaned_data, actor=request.user, ip=client_ip(request)
        )
        messages.success(request, "Saved." if changes else "Nothing was different, so nothing was changed.")
        return redirect("organizations:settings")
    context = {
        "title": "Settings",
        "lead": "What holds for the whole organization.",
        "form": form,
        "pages": [page for page in settings_pages() if request.member.can(page.capability)],
    }
    return render(request, "integrations/organizations/settings.html", context)
