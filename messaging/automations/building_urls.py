"""Addresses of the builder, in the room's namespace."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
