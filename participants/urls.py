"""Pages of participants: inside a flow, inside a contact, and a member's own contacts in flows."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from participants import views, views_act, views_add, views_contact, views_lifecycle, views_rehearse

app_name = "participants"
urlpatterns: list[URLPattern | URLResolver] = [
    path("flows/<int:flow_id>/run/", views_lifecycle.run, name="run"),
    path("flows/<int:flow_id>/pause/", views_lifecycle.pause, name="pause"),
    path("flows/<int:flow_id>/end/", views_lifecycle.end, name="end"),
    path("flows/<int:flow_id>/start-time/", views_lifecycle.start_time, name="start_time"),
    path("flows/<int:flow_id>/rehearse/", views_rehearse.rehearse, name="rehearse"),
    path("flows/<int:flow_id>/rehearse/<int:visit>/", views_rehearse.letter, name="rehearse_letter"),
    path("flows/<int:flow_id>/participants/", views.participants, name="participants"),
    path("flows/<int:flow_id>/participants/export/", views.export, name="export"),
    path("flows/<int:flow_id>/participants/act/", views_act.act, name="act"),
    path("flows/<int:flow_id>/participants/act/<int:job_id>/", views_act.progress, name="act_progress"),
    path("flows/<int:flow_id>/participants/<int:participant_id>/", views.participant, name="participant"),
    path("flows/add-contacts/", views_add.add, name="add"),
    path("flows/add-contacts/<int:job_id>/", views_add.progress, name="add_progress"),
    path("contacts/in-flows/", views_contact.my_contacts, name="my_contacts"),
    path("contacts/<int:contact_id>/flows/", views_contact.contact_flows, name="contact_flows"),
    path("contacts/<int:contact_id>/flows/why/", views_contact.why, name="why"),
]
