"""Pages of the CRM under /t/<slug>/."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from crm.views import clubs, companies, contact, contacts, criteria, imports, lists

app_name = "crm"
urlpatterns: list[URLPattern | URLResolver] = [
    path("contacts/", contacts.contacts, name="contacts"),
    path("contacts/new/", contacts.new, name="contact_new"),
    path("contacts/export/", contacts.export, name="contacts_export"),
    path("contacts/add-to-selection/", contacts.add_to_selection, name="contacts_add_to_selection"),
    path("contacts/to-flow/", contacts.to_flow, name="contacts_to_flow"),
    path("contacts/company-names/", contacts.company_names, name="company_names"),
    path("contacts/criteria/", criteria.edit, name="criteria-edit"),
    path("contacts/criteria/count/", criteria.count, name="criteria-count"),
    path("contacts/<int:contact_id>/", contact.overview, name="contact"),
    path("contacts/<int:contact_id>/timeline/", contact.timeline, name="contact_timeline"),
    path("contacts/<int:contact_id>/consent/", contact.consent, name="contact_consent"),
    path(
        "contacts/<int:contact_id>/consent/<int:purpose_id>/",
        contact.consent_record,
        name="contact_consent_record",
    ),
    path(
        "contacts/<int:contact_id>/subscriptions/<int:type_id>/",
        contact.subscription,
        name="contact_subscription",
    ),
    path("companies/", companies.companies, name="companies"),
    path("companies/new/", companies.new, name="company_new"),
    path("companies/<int:company_id>/", companies.company, name="company"),
    path("selections/", clubs.selections, name="selections"),
    path("selections/<int:club_id>/", clubs.selection, name="selection"),
    path("selections/<int:club_id>/members/", clubs.selection_members, name="selection_members"),
    path("selections/<int:club_id>/delete/", clubs.selection_delete, name="selection_delete"),
    path("projects/", clubs.projects, name="projects"),
    path("projects/<int:club_id>/", clubs.project, name="project"),
    path("projects/<int:club_id>/members/", clubs.project_members, name="project_members"),
    path("projects/<int:club_id>/delete/", clubs.project_delete, name="project_delete"),
    path("imports/", imports.upload, name="import_upload"),
    path("imports/<int:import_id>/", imports.result, name="import"),
    path("imports/<int:import_id>/mapping/", imports.mapping, name="import_mapping"),
    path("imports/<int:import_id>/progress/", imports.progress, name="import_progress"),
    path("imports/<int:import_id>/stop/", imports.stop, name="import_stop"),
    path("imports/<int:import_id>/left-out/", imports.issues, name="import_issues"),
    path("settings/lists/", lists.lists, name="lists"),
    path("settings/lists/<slug:list_name>/", lists.lists, name="list"),
    path("settings/lists/<slug:list_name>/<int:item_id>/", lists.list_item, name="list_item"),
    path("settings/custom-fields/", lists.custom_fields, name="custom_fields"),
    path("settings/custom-fields/<int:field_id>/", lists.custom_field, name="custom_field"),
    path("settings/subscription-types/", lists.subscription_types, name="subscription_types"),
    path("settings/subscription-types/<int:type_id>/", lists.subscription_types, name="subscription_type"),
    path(
        "settings/subscription-types/<int:type_id>/do/",
        lists.subscription_type_do,
        name="subscription_type_do",
    ),
]
