"""Addresses of the room."""

from django.urls import path

from . import views

app_name = "retention"
urlpatterns = [
    path("", views.retention_page, name="settings"),
    path("again/", views.removal_again, name="again"),
]
