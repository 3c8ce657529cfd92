"""Addresses of the room, below /o/{slug}/sandbox/. Phones stand in them as tokens, never as numbers."""

from django.urls import path

from .views import dials, phones

app_name = "sandbox"
urlpatterns = [
    path("", phones.home, name="home"),
    path("<uuid:pk>/", phones.phones, name="phones"),
    path("<uuid:pk>/new-phone/", phones.new_phone, name="new_phone"),
    path("<uuid:pk>/phones/<str:token>/", phones.phone, name="phone"),
    path("<uuid:pk>/phones/<str:token>/talk/", phones.talk, name="talk"),
    path("<uuid:pk>/numbers/", dials.numbers, name="numbers"),
    path("<uuid:pk>/numbers/add/", dials.add_outcome, name="add_outcome"),
    path("<uuid:pk>/numbers/remove/", dials.drop_outcome, name="drop_outcome"),
    path("<uuid:pk>/dials/", dials.board, name="dials"),
    path("<uuid:pk>/dials/preset/", dials.preset, name="preset"),
    path("<uuid:pk>/dials/reset/", dials.reset, name="reset"),
]
