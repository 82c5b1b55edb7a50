"""Pages of content, below content/."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from content.views import blocks, brand, editor, forms, images, library, links, scripts, sent, submissions

app_name = "content"
urlpatterns: list[URLPattern | URLResolver] = [
    path("", library.emails, name="emails"),
    path("new/", library.new, name="new"),
    path("brand/", brand.brand, name="brand"),
    path("brand/sample/", brand.sample, name="brand_sample"),
    path("images/", images.images, name="images"),
    path("images/upload/", images.upload, name="image_upload"),
    path("images/choose/", images.choose, name="image_choose"),
    path("images/<int:image_id>/", images.image, name="image"),
    path("images/<int:image_id>/delete/", images.delete, name="image_delete"),
    path("new/<slug:starter>/", library.starter, name="starter"),
    path("people/", editor.people, name="people"),
    path("preview/<str:key>/", editor.frame, name="frame"),
    path("<int:email_id>/", editor.edit, name="edit"),
    path("<int:email_id>/preview/", editor.preview, name="preview"),
    path("<int:email_id>/blocks/", blocks.blocks, name="blocks"),
    path("<int:email_id>/test/", editor.test, name="test"),
    path("<int:email_id>/tests/", editor.tests, name="tests"),
    path("<int:email_id>/copy/", library.copy, name="copy"),
    path("<int:email_id>/delete/", library.delete, name="delete"),
    path("messages/<int:contact_id>/<int:message_id>/", sent.message, name="message"),
    path("messages/<int:contact_id>/<int:message_id>/mail/", sent.message_frame, name="message_frame"),
    path("forms/", forms.forms, name="forms"),
    path("forms/new/", forms.new, name="form_new"),
    path("forms/<int:form_id>/", forms.form, name="form"),
    path("forms/<int:form_id>/fields/<str:field_key>/", forms.form_field, name="form_field"),
    path("forms/<int:form_id>/settings/", forms.settings, name="form_settings"),
    path("forms/<int:form_id>/actions/", forms.actions, name="form_actions"),
    path("forms/<int:form_id>/preview/", forms.preview, name="form_preview"),
    path("forms/<int:form_id>/open/", forms.switch, name="form_switch"),
    path("forms/<int:form_id>/copy/", forms.copy, name="form_copy"),
    path("forms/<int:form_id>/delete/", forms.delete, name="form_delete"),
    path("submissions/", submissions.submissions, name="submissions"),
    path("submissions/<int:submission_id>/", submissions.submission, name="submission"),
    path("scripts/", scripts.scripts, name="scripts"),
    path("scripts/new/", scripts.new, name="script_new"),
    path("scripts/<int:script_id>/", scripts.edit, name="script"),
    path("scripts/<int:script_id>/delete/", scripts.delete, name="script_delete"),
    path("links/", links.links, name="links"),
    path("links/new/", links.new, name="link_new"),
    path("links/<int:link_id>/", links.edit, name="link"),
    path("links/<int:link_id>/clicks/", links.clicks, name="link_clicks"),
    path("links/<int:link_id>/reset/", links.reset, name="link_reset"),
    path("links/<int:link_id>/delete/", links.delete, name="link_delete"),
]
