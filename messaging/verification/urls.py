"""Addresses of the room."""

from django.urls import path

from . import views

app_name = "verifications"
urlpatterns = [
    path("", views.verification_list, name="list"),
    path("try/", views.attempt, name="try"),
    path("conversion/", views.conversion, name="conversion"),
    path("channels/<int:channel_id>/offer/", views.offer_again, name="offer_again"),
    path("<uuid:pk>/", views.detail, name="detail"),
    path("<uuid:pk>/check/", views.check, name="check"),
    path("<uuid:pk>/resend/", views.resend, name="resend"),
    path("<uuid:pk>/cancel/", views.cancel, name="cancel"),
]
