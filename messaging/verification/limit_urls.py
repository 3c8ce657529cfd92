"""Addresses of the limits."""

from django.urls import path

from . import limit_views

app_name = "verification_limits"
urlpatterns = [
    path("", limit_views.limits_page, name="settings"),
    path("prefixes/<uuid:pk>/release/", limit_views.release_prefix, name="release"),
]
