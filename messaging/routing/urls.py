"""Addresses of the room."""

from django.urls import path

from . import views

app_name = "routing"
urlpatterns = [path("", views.why, name="why")]
