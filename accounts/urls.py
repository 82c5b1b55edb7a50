"""Pages of accounts inside a tenant: home and settings."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from accounts.views import api_keys, audit, company, groups, home, me, roles, users

app_name = "accounts"
urlpatterns: list[URLPattern | URLResolver] = [
    path("", home.home, name="home"),
    path("me/mobile/", me.mobile, name="mobile"),
    path("settings/", company.settings, name="settings"),
    path("settings/company/", company.company, name="company"),
    path("settings/company/consent/", company.consent_checking, name="consent_checking"),
    path("settings/users/", users.users, name="users"),
    path("settings/users/invite/", users.invite, name="invite"),
    path("settings/users/<int:membership_id>/", users.user, name="user"),
    path("settings/users/<int:membership_id>/mobile/", users.user_mobile, name="user_mobile"),
    path("settings/users/<int:membership_id>/active/", users.user_active, name="user_active"),
    path("settings/invitations/<int:invitation_id>/again/", users.invite_again, name="invite_again"),
    path(
        "settings/invitations/<int:invitation_id>/withdraw/",
        users.invitation_withdraw,
        name="invitation_withdraw",
    ),
    path("settings/groups/", groups.groups, name="groups"),
    path("settings/groups/<int:group_id>/", groups.group, name="group"),
    path("settings/groups/<int:group_id>/delete/", groups.group_delete, name="group_delete"),
    path("settings/roles/", roles.roles, name="roles"),
    path("settings/roles/new/", roles.role_new, name="role_new"),
    path("settings/roles/<int:role_id>/", roles.role, name="role"),
    path("settings/roles/<int:role_id>/delete/", roles.role_delete, name="role_delete"),
    path("settings/api-keys/", api_keys.api_keys, name="api_keys"),
    path("settings/api-keys/<int:key_id>/revoke/", api_keys.api_key_revoke, name="api_key_revoke"),
    path("settings/audit/", audit.audit, name="audit"),
    path("settings/audit/verify/", audit.audit_verify, name="audit_verify"),
]
