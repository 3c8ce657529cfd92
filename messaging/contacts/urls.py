"""Addresses of the room."""

from django.urls import path

from .views import attributes, bulk, contact, lists, merging

app_name = "contacts"
urlpatterns = [
    path("", lists.contact_list, name="list"),
    path("count/", lists.contact_count, name="count"),
    path("bulk/", bulk.bulk_ask, name="bulk"),
    path("work/<uuid:job_pk>/", bulk.work_page, name="work"),
    path("work/<uuid:job_pk>/undo/", bulk.work_undo, name="work_undo"),
    path("duplicates/", merging.duplicates, name="duplicates"),
    path("filters/", lists.filter_list, name="filters"),
    path("filters/save/", lists.filter_save, name="filter_save"),
    path("filters/<uuid:filter_pk>/", lists.filter_edit, name="filter_edit"),
    path("filters/<uuid:filter_pk>/delete/", lists.filter_delete, name="filter_delete"),
    path("new/", contact.contact_new, name="new"),
    path("recognise/", contact.recognise, name="recognise"),
    path("options/", contact.options, name="options"),
    path("attributes/", attributes.attribute_list, name="attributes"),
    path("attributes/new/", attributes.attribute_new, name="attribute_new"),
    path("attributes/<uuid:attribute_pk>/", attributes.attribute_edit, name="attribute_edit"),
    path("attributes/<uuid:attribute_pk>/archive/", attributes.attribute_archive, name="attribute_archive"),
    path("<uuid:pk>/", contact.contact_detail, name="detail"),
    path("<uuid:pk>/edit/", contact.contact_edit, name="edit"),
    path("<uuid:pk>/delete/", contact.contact_delete, name="delete"),
    path("<uuid:pk>/erase/", contact.contact_erase, name="erase"),
    path("<uuid:pk>/merge/", merging.merge_pick, name="merge_pick"),
    path("<uuid:pk>/merge/<uuid:other_pk>/", merging.merge, name="merge"),
    path("<uuid:pk>/opt-out/", contact.contact_opt_out, name="opt_out"),
    path("<uuid:pk>/tags/", contact.tag_add, name="tag_add"),
    path("<uuid:pk>/tags/<uuid:tag_pk>/remove/", contact.tag_remove, name="tag_remove"),
]
