"""The addresses of a portal, below `/p/{slug}/` or on a domain of its own."""

from django.urls import include, path

from . import views

app_name = "portal"

urlpatterns = [
    path("", views.door, name="door"),
    path("out", views.out, name="out"),
    path("terms", views.terms, name="terms"),
    path("picture/<uuid:pk>", views.picture, name="picture"),
    path("", include("portal.accounts.public.inside.urls")),
]
