"""What is done to a broadcast: start, pause, resume, cancel, leave out, send again, delete."""

import uuid

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from integrations.organizations.network import client_ip
from integrations.organizations.pages import MemberRequest, member_page
from integrations.organizations.roles import Capability
from messaging.broadcasts import creating, lifecycle
from messaging.broadcasts.problems import BroadcastProblem
from messaging.broadcasts.progress import progress_of

from .finding import broadcast_of


@member_page(Capability.SEND)
@require_POST
def start(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Begin to send."""
    broadcast = broadcast_of(request, pk)
    try:
        lifecycle.start(broadcast, actor=request.user, ip=client_ip(request))
    except BroadcastProblem as problem:
        messages.warning(request, problem.detail)
    else:
        messages.success(request, "Started. You can close this page; it goes on by itself.")
    return redirect("broadcasts:detail", pk=pk)


@member_page(Capability.SEND)
@require_POST
def skip(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Choose to send without the wrong rows."""
    broadcast = broadcast_of(request, pk)
    if not lifecycle.skip_bad_rows(broadcast, actor=request.user, ip=client_ip(request)):
        messages.info(request, "There was nothing (more) to choose.")
    return redirect("broadcasts:detail", pk=pk)


@member_page(Capability.SEND)
@require_POST
def pause(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Hold what has not been handed over."""
    broadcast = broadcast_of(request, pk)
    if lifecycle.pause(broadcast, actor=request.user, ip=client_ip(request)):
        messages.success(request, "Paused. What Twilio already has goes out.")
    else:
        messages.info(request, f"It was not running: {broadcast.get_status_display().lower()}.")
    return redirect("broadcasts:detail", pk=pk)


@member_page(Capability.SEND)
@require_POST
def resume(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Go on."""
    broadcast = broadcast_of(request, pk)
    try:
        lifecycle.resume(broadcast, actor=request.user, ip=client_ip(request))
    except BroadcastProblem as problem:
        messages.warning(request, problem.detail)
    return redirect("broadcasts:detail", pk=pk)


@member_page(Capability.SEND)
def cancel(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """End a broadcast, once the member has read what that means."""
    broadcast = broadcast_of(request, pk)
    if request.method == "POST":
        if lifecycle.cancel(broadcast, actor=request.user, ip=client_ip(request)):
            messages.success(request, "Canceled. What was just being handed over still goes out, and is counted.")
        else:
            messages.info(request, "It had ended already.")
        return redirect("broadcasts:detail", pk=pk)
    if broadcast.status not in lifecycle.UNDER_WAY:
        return redirect("broadcasts:detail", pk=pk)
    context = {"title": f"Cancel {broadcast.name}?", "broadcast": broadcast, "progress": progress_of(broadcast)}
    return render(request, "messaging/broadcasts/cancel.html", context)


@member_page(Capability.SEND)
@require_POST
def again(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Prepare a broadcast to the failures that it is safe for; it is checked and shown before anything is sent."""
    broadcast = broadcast_of(request, pk)
    try:
        following = creating.send_again(broadcast, actor=request.user, ip=client_ip(request))
    except BroadcastProblem as problem:
        messages.warning(request, problem.detail)
        return redirect("broadcasts:detail", pk=pk)
    return redirect("broadcasts:detail", pk=following.pk)


@member_page(Capability.SEND)
def delete(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Delete a broadcast that was never started."""
    broadcast = broadcast_of(request, pk)
    if request.method == "POST":
        if lifecycle.delete_draft(broadcast, actor=request.user, ip=client_ip(request)):
            messages.success(request, f"{broadcast.name} was deleted. Nothing was sent.")
            return redirect("broadcasts:list")
        messages.info(request, "It was started, so it stays: its messages need it.")
        return redirect("broadcasts:detail", pk=pk)
    if broadcast.status not in lifecycle.UNSTARTED:
        return redirect("broadcasts:detail", pk=pk)
    rows = sum((broadcast.ready_count, broadcast.left_out_count, broadcast.bad_count))
    context = {"title": f"Delete {broadcast.name}?", "broadcast": broadcast, "rows": rows}
    return render(request, "messaging/broadcasts/delete.html", context)
