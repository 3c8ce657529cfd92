"""Addresses of the room: lists, runs and what is done to an automation; those of the builder stand in building_urls."""

from django.urls import URLPattern, URLResolver, include, path

from .views import doing, lists, runs

app_name = "automations"
urlpatterns: list[URLPattern | URLResolver] = [
    path("", lists.listing, name="list"),
    path("runs/", runs.of_all, name="runs_of_all"),
    path("runs/retry/", runs.retry_all, name="retry_all"),
    path("runs/<uuid:pk>/", runs.detail, name="run"),
    path("runs/<uuid:pk>/messages/", runs.run_messages, name="run_messages"),
    path("runs/<uuid:pk>/retry/", runs.retry, name="run_retry"),
    path("runs/<uuid:pk>/stop/", runs.stop, name="run_stop"),
    path("<uuid:pk>/runs/", runs.of_one, name="runs"),
    path("<uuid:pk>/runs/retry/", runs.retry_of_one, name="retry_failed"),
    path("<uuid:pk>/settings/", doing.settings, name="settings"),
    path("<uuid:pk>/pause/", doing.pause, name="pause"),
    path("<uuid:pk>/resume/", doing.resume, name="resume"),
    path("<uuid:pk>/archive/", doing.archive, name="archive"),
    path("<uuid:pk>/duplicate/", doing.duplicate, name="duplicate"),
    path("", include("messaging.automations.building_urls")),
]
