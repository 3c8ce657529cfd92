"""Addresses of the operator's page of unsettled platform SMS."""

from django.urls import path

from . import platform_views

app_name = "platform_messages"
urlpatterns = [
    path("", platform_views.unsettled, name="unsettled"),
    path("<uuid:pk>/", platform_views.settle, name="settle"),
]
