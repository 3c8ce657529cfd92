"""The public addresses of forms."""

from django.urls import path

from .views import form_picture, public_form

urlpatterns = [
    path("f/<str:token>", public_form, name="form"),
    path("f/<str:token>/picture/<uuid:pk>", form_picture, name="form-picture"),
]
