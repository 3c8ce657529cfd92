"""From one organization to another, and where a person lands."""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from integrations.organizations.middleware import LAST_ORGANIZATION
from integrations.organizations.models import Member
from integrations.organizations.selectors import find_member, memberships_of
from integrations.organizations.sign_in import open_invitation

CHOOSER = "/organizations/"


def landing(request: HttpRequest) -> HttpResponseRedirect:
    """Send whoever stands at `/` where they belong: an invitation, the last organization, the only one, the chooser."""
    if not request.user.is_authenticated:
        return redirect("/accounts/login/")
    invitation = open_invitation(request)
    if invitation is not None and invitation.email.lower() == request.user.email.lower():
        return redirect("/invitations/accept/")
    last = request.session.get(LAST_ORGANIZATION)
    if last and find_member(request.user, slug=last):
        return redirect(f"/o/{last}/")
    slugs = list(Member.objects.filter(user=request.user).values_list("organization__slug", flat=True)[:2])
    if len(slugs) == 1:
        return redirect(f"/o/{slugs[0]}/")
    if not slugs and request.user.is_operator:
        return redirect("/operator/")
    return redirect(CHOOSER)


@require_safe
def choose(request: HttpRequest) -> HttpResponse:
    """List the person's organizations, the only one too: `landing` is what goes straight on."""
    if not request.user.is_authenticated:
        return redirect(f"/accounts/login/?next={CHOOSER}")
    context = {"title": "Your organizations", "memberships": list(memberships_of(request.user))}
    return render(request, "integrations/organizations/choose.html", context)
