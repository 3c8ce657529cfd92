"""Addresses of the room."""

from django.urls import path

from . import limit_views, views

app_name = "messages"
urlpatterns = [
    path("", views.log, name="log"),
    path("send/", views.send, name="send"),
    path("send/preview/", views.preview, name="preview"),
    path("send/fields/", views.template_fields, name="template_fields"),
    path("send/recipients/", views.recipients, name="recipients"),
    path("limits/", limit_views.limits, name="limits"),
    path("limits/<uuid:pk>/speed/", limit_views.speed, name="speed"),
    path("test/<uuid:pk>/", views.send_test, name="test"),
    path("<uuid:pk>/", views.detail, name="detail"),
    path("<uuid:pk>/cancel/", views.cancel, name="cancel"),
    path("<uuid:pk>/resolve/", views.resolve, name="resolve"),
]
