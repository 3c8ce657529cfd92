"""Addresses of the room."""

from django.urls import path

from . import views

app_name = "templates"
urlpatterns = [
    path("", views.template_list, name="list"),
    path("new/", views.template_new, name="new"),
    path("measure/", views.measure, name="measure"),
    path("<uuid:pk>/", views.template_detail, name="detail"),
    path("<uuid:pk>/edit/", views.template_edit, name="edit"),
    path("<uuid:pk>/versions/<int:number>/restore/", views.version_restore, name="restore"),
    path("<uuid:pk>/duplicate/", views.template_duplicate, name="duplicate"),
    path("<uuid:pk>/archive/", views.template_archive, name="archive"),
    path("<uuid:pk>/unarchive/", views.template_unarchive, name="unarchive"),
]
