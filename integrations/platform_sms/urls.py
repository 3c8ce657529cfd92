"""Addresses of the operator's pages."""

from django.urls import path

from . import views

app_name = "platform_sms"
urlpatterns = [
    path("", views.overview, name="overview"),
    path("webhooks/", views.add_webhook, name="webhook_add"),
    path("webhooks/<uuid:pk>/remove/", views.remove_webhook, name="webhook_remove"),
    path("credits/<slug:slug>/", views.credit_page, name="credits"),
    path("credits/<slug:slug>/top-up/", views.top_up, name="top_up"),
    path("credits/<slug:slug>/adjust/", views.adjust, name="adjust"),
]
