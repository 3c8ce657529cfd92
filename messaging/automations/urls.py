"""Addresses of the room: lists, runs and what is done to an automation; those of the builder stand in building_urls."""

from django.urls import URLPattern, URLResolver, include, path

app_name = "automations"
urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("messaging.automations.building_urls")),
]
