"""Addresses of the room, for members."""

from django.urls import path

from .views import overview, rules, terms, texts
from .views.people import inviting, listing, many, notifying, person, statistics

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
    path("<uuid:pk>/people/", listing.person_list, name="people"),
    path("<uuid:pk>/people/export/", listing.export, name="people_export"),
    path("<uuid:pk>/people/export/<uuid:export_pk>/", listing.export_download, name="people_download"),
    path("<uuid:pk>/people/<uuid:person_pk>/", person.person, name="person"),
    path("<uuid:pk>/people/<uuid:person_pk>/do/", person.person_do, name="person_do"),
    path("<uuid:pk>/people/<uuid:person_pk>/erase/", person.person_erase, name="person_erase"),
    path("<uuid:pk>/people/<uuid:person_pk>/files/<uuid:file_pk>/", person.person_file, name="person_file"),
    path("<uuid:pk>/people/<uuid:person_pk>/texts/<int:sending_pk>/", person.sending_again, name="sending_again"),
    path("<uuid:pk>/approvals/", listing.approvals, name="approvals"),
    path("<uuid:pk>/approvals/decide/", listing.decide, name="decide"),
    path("<uuid:pk>/invitations/", inviting.invitation_list, name="invitations"),
    path("<uuid:pk>/invitations/new/", inviting.invite, name="invite"),
    path("<uuid:pk>/invitations/contacts/", many.invite_contacts, name="invite_contacts"),
    path("<uuid:pk>/invitations/file/", many.invite_file, name="invite_file"),
    path("<uuid:pk>/invitations/many/<uuid:batch_pk>/", many.batch, name="batch"),
    path("<uuid:pk>/invitations/many/<uuid:batch_pk>/columns/", many.batch_columns, name="batch_columns"),
    path("<uuid:pk>/invitations/many/<uuid:batch_pk>/do/", many.batch_do, name="batch_do"),
    path("<uuid:pk>/invitations/<uuid:invitation_pk>/resend/", inviting.invitation_resend, name="invitation_resend"),
    path("<uuid:pk>/invitations/<uuid:invitation_pk>/revoke/", inviting.invitation_revoke, name="invitation_revoke"),
    path("<uuid:pk>/notifications/", notifying.notification_list, name="notifications"),
    path("<uuid:pk>/notifications/new/", notifying.notify, name="notify"),
    path("<uuid:pk>/notifications/new/measure/", notifying.notify_measure, name="notify_measure"),
    path("<uuid:pk>/notifications/<uuid:notification_pk>/", notifying.notification, name="notification"),
    path("<uuid:pk>/statistics/", statistics.statistics, name="statistics"),
]
