"""Addresses of the room."""

from django.urls import path

from . import views

app_name = "consent"
urlpatterns = [
    path("", views.opt_out_list, name="list"),
    path("new/", views.opt_out_new, name="new"),
    path("<uuid:pk>/end/", views.opt_out_end, name="end"),
]
