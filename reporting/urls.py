"""The flow list with its folders, and the pages of View flow that only read."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from reporting import (
    views,
    views_compare,
    views_control,
    views_find,
    views_folders,
    views_manage,
    views_path,
    views_reports,
    views_saved,
    views_webhooks,
)

app_name = "reporting"
urlpatterns: list[URLPattern | URLResolver] = [
    path("flows/", views.flows, name="flows"),
    path("flows/compare/", views_compare.compare, name="compare_flows"),
    path("flows/views/new/", views_saved.new, name="view_new"),
    path("flows/views/<int:view_id>/delete/", views_saved.delete, name="view_delete"),
    path("flows/move/", views_compare.move_several, name="move_several"),
    path("flows/folders/new/", views_folders.new, name="folder_new"),
    path("flows/folders/<int:folder_id>/rename/", views_folders.rename, name="folder_rename"),
    path("flows/folders/<int:folder_id>/move/", views_folders.move, name="folder_move"),
    path("flows/folders/<int:folder_id>/delete/", views_folders.delete, name="folder_delete"),
    path("flows/<int:flow_id>/", views.summary, name="flow"),
    path("flows/<int:flow_id>/canvas/", views.canvas, name="canvas"),
    path("flows/<int:flow_id>/canvas/counts/", views.counts, name="counts"),
    path("flows/<int:flow_id>/canvas/part/", views.part, name="part"),
    path("flows/<int:flow_id>/canvas/find/", views_find.find_steps, name="find"),
    path("flows/<int:flow_id>/path/", views_path.choose, name="path_choose"),
    path("flows/<int:flow_id>/path/<int:participant_id>/", views_path.path, name="path"),
    path("flows/<int:flow_id>/path/<int:participant_id>/part/", views_path.part, name="path_part"),
    path("flows/<int:flow_id>/webhooks/<uuid:step_id>/", views_webhooks.calls, name="webhook_calls"),
    path("flows/<int:flow_id>/webhooks/<uuid:step_id>/again/", views_webhooks.again, name="webhook_again"),
    path("flows/<int:flow_id>/reports/", views_reports.reports, name="reports"),
    path("flows/<int:flow_id>/reports/messages/", views_reports.messages, name="report_messages"),
    path("flows/<int:flow_id>/reports/links/", views_reports.links, name="report_links"),
    path("flows/<int:flow_id>/reports/outcomes/", views_reports.outcomes, name="report_outcomes"),
    path("flows/<int:flow_id>/control-group/", views_control.held_out, name="held_out"),
    path("flows/<int:flow_id>/reports/<slug:section>.csv", views_reports.as_csv, name="report_csv"),
    path(
        "flows/<int:flow_id>/participants/views/new/",
        views_saved.new_of_participants,
        name="participants_view_new",
    ),
    path(
        "flows/<int:flow_id>/participants/views/<int:view_id>/delete/",
        views_saved.delete_of_participants,
        name="participants_view_delete",
    ),
    path("flows/<int:flow_id>/content/", views.content, name="content"),
    path("flows/<int:flow_id>/copy/", views_manage.copy, name="copy"),
    path("flows/<int:flow_id>/delete/", views_manage.delete, name="delete"),
    path("flows/<int:flow_id>/rename/", views_manage.rename, name="rename"),
    path("flows/<int:flow_id>/folder/", views_manage.put_into_folder, name="put_into_folder"),
]
