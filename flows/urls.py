"""URLs of the designer, below /t/<slug>/flows/."""

from __future__ import annotations

from django.urls import path

from flows.views import (
    choices,
    comments,
    create,
    designer,
    exchange,
    lifecycle,
    making,
    revisions,
    texts,
    together,
    trying,
)

app_name = "flows"

urlpatterns = [
    path("flows/new/", create.new, name="new"),
    path("flows/import/", exchange.bring, name="import"),
    path("flows/<int:flow_id>/export/", exchange.export, name="export"),
    path("flows/sms-length/", texts.sms_length, name="sms_length"),
    path("flows/<int:flow_id>/edit/sms/<uuid:step_id>/", trying.try_sms, name="try_sms"),
    path("flows/<int:flow_id>/edit/sms/<uuid:step_id>/preview/", trying.preview_sms, name="preview_sms"),
    path("flows/<int:flow_id>/edit/sms/<uuid:step_id>/test/", trying.test_sms, name="test_sms"),
    path("flows/<int:flow_id>/edit/sms/<uuid:step_id>/tests/", trying.sms_tests, name="sms_tests"),
    path("flows/<int:flow_id>/edit/", designer.edit, name="edit"),
    path("flows/<int:flow_id>/edit/panel/", designer.panel, name="panel"),
    path("flows/<int:flow_id>/edit/choices/<str:kind>/", choices.choices, name="choices"),
    path("flows/<int:flow_id>/edit/choices/<str:kind>/new/<str:name>/", making.make, name="make"),
    path("flows/<int:flow_id>/edit/apply/", designer.apply, name="apply"),
    path("flows/<int:flow_id>/edit/fold/", designer.fold, name="fold"),
    path("flows/<int:flow_id>/edit/op/", designer.op, name="op"),
    path("flows/<int:flow_id>/edit/here/", together.here, name="here"),
    path("flows/<int:flow_id>/edit/newest/", together.newest, name="newest"),
    path("flows/<int:flow_id>/edit/undo/", designer.undo, name="undo"),
    path("flows/<int:flow_id>/edit/redo/", designer.redo, name="redo"),
    path("flows/<int:flow_id>/comments/", comments.talk, name="talk"),
    path("flows/<int:flow_id>/comments/people/", comments.people, name="comment_people"),
    path("flows/<int:flow_id>/comments/write/", comments.write, name="comment_write"),
    path("flows/<int:flow_id>/comments/<int:comment_id>/edit/", comments.edit, name="comment_edit"),
    path("flows/<int:flow_id>/comments/<int:comment_id>/delete/", comments.delete, name="comment_delete"),
    path("flows/<int:flow_id>/comments/<int:comment_id>/resolve/", comments.resolve, name="comment_resolve"),
    path("flows/<int:flow_id>/edit/save/", lifecycle.save, name="save"),
    path("flows/<int:flow_id>/edit/start/", lifecycle.start, name="start"),
    path("flows/<int:flow_id>/edit/pause/", lifecycle.pause, name="pause"),
    path("flows/<int:flow_id>/edit/revisions/compare/", revisions.compared, name="compare"),
    path("flows/<int:flow_id>/edit/revisions/<int:number>/", revisions.revision, name="revision"),
    path("flows/<int:flow_id>/edit/revisions/<int:number>/restore/", revisions.restore, name="restore"),
]
