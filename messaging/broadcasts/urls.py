"""Addresses of broadcasts."""

from django.urls import path

from .views import doing, looking, preparing

app_name = "broadcasts"
urlpatterns = [
    path("", looking.listing, name="list"),
    path("new/", preparing.new, name="new"),
    path("<uuid:pk>/", looking.detail, name="detail"),
    path("<uuid:pk>/edit/", preparing.edit, name="edit"),
    path("<uuid:pk>/file/", preparing.file, name="file"),
    path("<uuid:pk>/columns/", preparing.columns, name="columns"),
    path("<uuid:pk>/check/", preparing.check, name="check"),
    path("<uuid:pk>/rows/", looking.rows, name="rows"),
    path("<uuid:pk>/wrong-rows.csv", looking.wrong_rows, name="wrong_rows"),
    path("<uuid:pk>/results.csv", looking.results, name="results"),
    path("<uuid:pk>/skip/", doing.skip, name="skip"),
    path("<uuid:pk>/start/", doing.start, name="start"),
    path("<uuid:pk>/pause/", doing.pause, name="pause"),
    path("<uuid:pk>/resume/", doing.resume, name="resume"),
    path("<uuid:pk>/cancel/", doing.cancel, name="cancel"),
    path("<uuid:pk>/again/", doing.again, name="again"),
    path("<uuid:pk>/delete/", doing.delete, name="delete"),
]
