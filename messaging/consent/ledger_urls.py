"""Addresses of the ledger's pages."""

from django.urls import path

from . import ledger_views as views

app_name = "consents"
urlpatterns = [
    path("", views.report, name="report"),
    path("export/", views.export, name="export"),
    path("proof/", views.proof_page, name="proof"),
    path("proof/export/", views.proof_export, name="proof_export"),
    path("policy/", views.policy_page, name="policy"),
    path("contact/<uuid:pk>/", views.record_page, name="record"),
]
