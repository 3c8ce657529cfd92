"""Addresses of the room."""

from django.urls import path

from . import views

app_name = "credits"
urlpatterns = [
    path("", views.statement, name="statement"),
    path("download/", views.download, name="download"),
    path("settings/", views.change, name="change"),
]
