"""The automation or run that a page's address names."""

import uuid

from django.http import Http404

from integrations.organizations.pages import MemberRequest
from messaging.automations.models import Automation, Run
from messaging.automations.selectors import find_automation, find_run


def automation_of(request: MemberRequest, pk: uuid.UUID) -> Automation:
    """Return the organization's automation; 404 for another one's."""
    automation = find_automation(request.organization, pk)
    if automation is None:
        raise Http404("There is no such automation.")
    return automation


def run_of(request: MemberRequest, pk: uuid.UUID) -> Run:
    """Return the organization's run; 404 for another one's."""
    run = find_run(request.organization, pk)
    if run is None:
        raise Http404("There is no such run.")
    return run
