"""Twilio's webhooks: `/hooks/twilio/{connection key}/…`, the addresses of the rooms that take them."""

from django.urls import path

from messaging.inbound.views import inbound
from messaging.receipts.views import status

urlpatterns = [
    path("<str:hook_key>/status/<uuid:message_id>", status, name="hook-status"),
    path("<str:hook_key>/inbound", inbound, name="hook-inbound"),
]
