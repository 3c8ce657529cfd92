"""The page of the signing secret."""

from django.http import HttpResponse
from django.shortcuts import render

from integrations.organizations.network import client_ip
from integrations.organizations.pages import MemberRequest, member_page
from integrations.organizations.roles import Capability

from .keeping import make_secret, secret_row


@member_page(Capability.MANAGE_KEYS)
def outgoing_page(request: MemberRequest) -> HttpResponse:
    """Say how calls are signed; make or change the secret, which the answer to the form alone shows."""
    plain = ""
    if request.method == "POST":
        plain = make_secret(request.organization, actor=request.user, ip=client_ip(request))
    context = {"title": "Outgoing webhooks", "row": secret_row(request.organization), "plain": plain}
    return render(request, "messaging/outgoing/secret.html", context)
