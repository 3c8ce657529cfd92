"""Addresses of the room, below /o/{slug}/integration/."""

from django.urls import path

from .views import connecting, connection, credentials, replies

app_name = "connections"
urlpatterns = [
    path("", connecting.services, name="services"),
    path("twilio/connect/", connecting.connect_page, name="connect"),
    path("twilio/sandbox/", connecting.use_sandbox, name="use_sandbox"),
    path("twilio/<uuid:pk>/", connection.detail, name="detail"),
    path("twilio/<uuid:pk>/check/", connection.check_again, name="check"),
    path("twilio/<uuid:pk>/settings/", connection.settings_page, name="settings"),
    path("twilio/<uuid:pk>/default/", connection.set_default, name="make_default"),
    path("twilio/<uuid:pk>/disconnect/", connection.disconnect_page, name="disconnect"),
    path("twilio/<uuid:pk>/replies/", replies.replies_page, name="replies"),
    path("twilio/<uuid:pk>/rotate/", credentials.rotate_page, name="rotate"),
    path("twilio/<uuid:pk>/webhook-tokens/", credentials.signing_page, name="signing"),
]
