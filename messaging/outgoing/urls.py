"""Addresses of outgoing webhooks, below /o/{slug}/settings/outgoing/."""

from django.urls import path

from . import views

app_name = "outgoing"
urlpatterns = [path("", views.outgoing_page, name="secret")]
