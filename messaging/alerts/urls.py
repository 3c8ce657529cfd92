"""Addresses of the room."""

from django.urls import path

from . import views

app_name = "alerts"
urlpatterns = [
    path("", views.alert_list, name="list"),
    path("mail/", views.choose_mail, name="mail"),
    path("<uuid:pk>/dismiss/", views.dismiss, name="dismiss"),
]
