"""Addresses of the room: inside an organization, between organizations, and the operator's."""

from django.urls import path

from .views import api_keys, audit, invitations, members, operator, organization, switching

app_name = "organizations"
urlpatterns = [
    # Mounted below /o/{slug}/
    path("members/", members.members, name="members"),
    path("members/invite/", invitations.new, name="invite"),
    path("members/me/", members.me, name="me"),
    path("members/leave/", members.leave_organization, name="leave"),
    path("members/invitations/<uuid:pk>/resend/", invitations.resend, name="invitation_resend"),
    path("members/invitations/<uuid:pk>/revoke/", invitations.take_back, name="invitation_revoke"),
    path("members/<uuid:pk>/", members.member, name="member"),
    path("members/<uuid:pk>/phone/", members.phone, name="member_phone"),
    path("members/<uuid:pk>/remove/", members.remove, name="member_remove"),
    path("settings/", organization.settings_page, name="settings"),
    path("api-keys/", api_keys.api_keys, name="api_keys"),
    path("api-keys/new/", api_keys.new, name="api_key_new"),
    path("api-keys/<uuid:pk>/revoke/", api_keys.revoke, name="api_key_revoke"),
    path("audit/", audit.audit_log, name="audit"),
    # Between organizations
    path("organizations/", switching.choose, name="choose"),
    path("invitations/accept/", invitations.accept_page, name="invitation_accept"),
    path("invitations/<str:token>/", invitations.open_link, name="invitation_open"),
    # The operator's
    path("operator/", operator.organizations, name="operator"),
    path("operator/new/", operator.new, name="operator_new"),
    path("operator/account-log/", operator.audit_log, name="operator_audit"),
    path("operator/o/<slug:slug>/", operator.detail, name="operator_detail"),
    path("operator/o/<slug:slug>/suspend/", operator.suspend, name="operator_suspend"),
    path("operator/o/<slug:slug>/reactivate/", operator.reactivate, name="operator_reactivate"),
]
