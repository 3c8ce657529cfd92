"""Addresses of the builder, in the room's namespace."""

from django.urls import URLPattern, path

from .views import beginning, building, hooks, trying, versions

urlpatterns: list[URLPattern] = [
    path("new/", beginning.new, name="new"),
    path("import/", beginning.take_file, name="import"),
    path("<uuid:pk>/", building.build, name="build"),
    path("<uuid:pk>/add/", building.step_add, name="step_add"),
    path("<uuid:pk>/trigger/", building.trigger_choose, name="trigger_choose"),
    path("<uuid:pk>/webhook/", hooks.hook_news, name="hook_news"),
    path("<uuid:pk>/webhook/secret/", hooks.secret_make, name="secret_make"),
    path("<uuid:pk>/undo/", building.undo, name="undo"),
    path("<uuid:pk>/publish/", building.publish, name="publish"),
    path("<uuid:pk>/export/", beginning.as_file, name="export"),
    path("<uuid:pk>/test/", trying.test, name="test"),
    path("<uuid:pk>/test/<uuid:run_pk>/", trying.test_run, name="test_run"),
    path("<uuid:pk>/versions/", versions.versions, name="versions"),
    path("<uuid:pk>/versions/<int:number>/", versions.version, name="version"),
    path("<uuid:pk>/versions/<int:number>/take/", versions.version_take, name="version_take"),
    path("<uuid:pk>/steps/<str:node>/", building.settings, name="step"),
    path("<uuid:pk>/steps/<str:node>/preview/", building.preview, name="step_preview"),
    path("<uuid:pk>/steps/<str:node>/move/", building.step_move, name="step_move"),
    path("<uuid:pk>/steps/<str:node>/copy/", building.step_copy, name="step_copy"),
    path("<uuid:pk>/steps/<str:node>/remove/", building.step_remove, name="step_remove"),
]
