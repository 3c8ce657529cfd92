"""Addresses of the room, for members."""

from django.urls import path

from .views import overview, rules, terms, texts

app_name = "portals"
urlpatterns = [
    path("", overview.portal_list, name="list"),
    path("new/", overview.portal_new, name="new"),
    path("<uuid:pk>/", overview.detail, name="detail"),
    path("<uuid:pk>/qr.svg", overview.qr, name="qr"),
    path("<uuid:pk>/switch/", overview.portal_switch, name="switch"),
    path("<uuid:pk>/delete/", overview.portal_delete, name="delete"),
    path("<uuid:pk>/texts/", texts.text_list, name="texts"),
    path("<uuid:pk>/texts/<slug:kind>/<slug:language>/", texts.text, name="text"),
    path("<uuid:pk>/texts/<slug:kind>/<slug:language>/measure/", texts.measure, name="measure"),
    path("<uuid:pk>/terms/", terms.terms, name="terms"),
    path("<uuid:pk>/terms/remove/", terms.terms_remove, name="terms_remove"),
    path("<uuid:pk>/rules/", rules.rules, name="rules"),
    path("<uuid:pk>/domain/", rules.domain, name="domain"),
    path("<uuid:pk>/offers/", rules.offers, name="offers"),
    path("<uuid:pk>/roles/add/", rules.role_add, name="role_add"),
    path("<uuid:pk>/roles/<int:role_pk>/", rules.role_change, name="role_change"),
]
