"""The forms room's own pages of building and pictures, mounted for the forms of portals."""

from django.urls import path

from portal.forms.views import building, settling

from .views import look

app_name = "forms"
urlpatterns = [
    path("<uuid:pk>/", look.form_home, name="detail"),
    path("<uuid:pk>/build/", building.build, name="build"),
    path("<uuid:pk>/build/add/", building.field_add, name="field_add"),
    path("<uuid:pk>/build/order/", building.field_order, name="field_order"),
    path("<uuid:pk>/build/step/", building.step, name="step"),
    path("<uuid:pk>/build/<slug:key>/", building.field_save, name="field_save"),
    path("<uuid:pk>/build/<slug:key>/move/", building.field_move, name="field_move"),
    path("<uuid:pk>/build/<slug:key>/copy/", building.field_copy, name="field_copy"),
    path("<uuid:pk>/build/<slug:key>/remove/", building.field_remove, name="field_remove"),
    path("<uuid:pk>/preview/", building.preview, name="preview"),
    path("<uuid:pk>/publish/", building.form_publish, name="publish"),
    path("<uuid:pk>/look/", look.look, name="look"),
    path("<uuid:pk>/look/<slug:place>/", settling.picture_set, name="picture_set"),
    path("<uuid:pk>/pictures/<uuid:picture_pk>/", settling.picture, name="picture"),
]
