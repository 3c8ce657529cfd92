"""The addresses of who is logged in, below those of the portal; their names begin with `portal:`."""

from django.urls import path

from . import views

urlpatterns = [path("home", views.home, name="home")]
