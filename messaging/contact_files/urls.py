"""Addresses of the room."""

from django.urls import path

from . import views

app_name = "contact_files"
urlpatterns = [
    path("import/", views.start, name="start"),
    path("import/<uuid:pk>/", views.detail, name="detail"),
    path("import/<uuid:pk>/read/", views.read, name="read"),
    path("import/<uuid:pk>/back/", views.back, name="back"),
    path("import/<uuid:pk>/run/", views.run, name="run"),
    path("import/<uuid:pk>/discard/", views.discard, name="discard"),
    path("import/<uuid:pk>/report/", views.report, name="report"),
    path("export/", views.export, name="export"),
]
