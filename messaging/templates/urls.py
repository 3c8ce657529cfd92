"""Addresses of the room."""

from django.urls import path

app_name = "templates"
urlpatterns: list = []
