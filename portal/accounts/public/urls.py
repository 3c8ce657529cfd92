"""The addresses of a portal, below `/p/{slug}/` or on a domain of its own."""

from django.urls import include, path

from . import views

app_name = "portal"

urlpatterns = [
    path("", views.door, name="door"),
    path("i/<str:token>", views.invitation, name="invitation"),
    path("out", views.out, name="out"),
    path("terms", views.terms, name="terms"),
    path("keep-password", views.keep_password, name="keep_password"),
    path("passkey/options", views.passkey_options, name="passkey_options"),
    path("passkey/login", views.passkey_login, name="passkey_login"),
    path("passkey/new/options", views.passkey_add_options, name="passkey_add_options"),
    path("passkey/new", views.passkey_add, name="passkey_add"),
    path("picture/<uuid:pk>", views.picture, name="picture"),
    path("", include("portal.accounts.public.inside.urls")),
]
