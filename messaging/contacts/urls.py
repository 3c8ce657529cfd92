"""Addresses of the room."""

from django.urls import path

from . import views

app_name = "contacts"
urlpatterns = [
    path("", views.contact_list, name="list"),
    path("new/", views.contact_new, name="new"),
    path("recognise/", views.recognise, name="recognise"),
    path("options/", views.options, name="options"),
    path("<uuid:pk>/", views.contact_detail, name="detail"),
    path("<uuid:pk>/edit/", views.contact_edit, name="edit"),
    path("<uuid:pk>/delete/", views.contact_delete, name="delete"),
    path("<uuid:pk>/opt-out/", views.contact_opt_out, name="opt_out"),
    path("<uuid:pk>/tags/", views.tag_add, name="tag_add"),
    path("<uuid:pk>/tags/<uuid:tag_pk>/remove/", views.tag_remove, name="tag_remove"),
]
