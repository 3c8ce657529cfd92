"""Addresses of the room, for members."""

from django.urls import path

from .views import building, settling, submissions

app_name = "forms"
urlpatterns = [
    path("", building.form_list, name="list"),
    path("new/", building.form_new, name="new"),
    path("<uuid:pk>/", settling.detail, name="detail"),
    path("<uuid:pk>/qr.svg", settling.qr, name="qr"),
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
    path("<uuid:pk>/open/", building.form_open, name="open"),
    path("<uuid:pk>/close/", settling.form_close, name="close"),
    path("<uuid:pk>/copy/", building.form_copy, name="copy"),
    path("<uuid:pk>/link/", settling.link_renew, name="link"),
    path("<uuid:pk>/delete/", settling.form_delete, name="delete"),
    path("<uuid:pk>/look/", settling.look, name="look"),
    path("<uuid:pk>/look/<slug:place>/", settling.picture_set, name="picture_set"),
    path("<uuid:pk>/pictures/<uuid:picture_pk>/", settling.picture, name="picture"),
    path("<uuid:pk>/rules/", settling.rules, name="rules"),
    path("<uuid:pk>/submissions/", submissions.submission_list, name="submissions"),
    path("<uuid:pk>/submissions/export/", submissions.export, name="export"),
    path("<uuid:pk>/submissions/export/<uuid:export_pk>/", submissions.export_download, name="export_download"),
    path("<uuid:pk>/submissions/files/<uuid:file_pk>/", submissions.submission_file, name="file"),
    path("<uuid:pk>/submissions/<uuid:submission_pk>/", submissions.submission, name="submission"),
    path("<uuid:pk>/submissions/<uuid:submission_pk>/delete/", submissions.submission_delete, name="submission_delete"),
]
