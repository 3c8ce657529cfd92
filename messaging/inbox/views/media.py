"""Give out a file that somebody sent: to members only, and in a way that nothing in it can act."""

import uuid

from django.http import Http404, HttpResponse
from django.views.decorators.http import require_safe

from integrations.organizations.pages import MemberRequest, member_page
from integrations.organizations.roles import Capability
from messaging.inbound.media import ALLOWED, SHOWN
from messaging.inbound.models import MessageMedia


@require_safe
@member_page(Capability.VIEW)
def medium(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Answer the file: pictures to be looked at, everything else to be saved."""
    row = MessageMedia.objects.filter(organization=request.organization, pk=pk, state=MessageMedia.State.STORED).first()
    if row is None:
        raise Http404("There is no such file.")
    may_show = row.is_picture and row.content_type in SHOWN
    content_type = row.content_type if may_show else "application/octet-stream"
    answer = HttpResponse(bytes(row.content or b""), content_type=content_type)
    name = f"sms-{str(row.pk)[-8:]}.{ALLOWED.get(row.content_type, 'bin')}"
    answer["Content-Disposition"] = f'{"inline" if may_show else "attachment"}; filename="{name}"'
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Content-Security-Policy"] = "default-src 'none'; sandbox"
    answer["Cross-Origin-Resource-Policy"] = "same-origin"
    answer["Cache-Control"] = "private, max-age=3600"
    return answer
