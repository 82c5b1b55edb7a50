"""The mail of a double opt-in: the form's own words in the tenant's brand, compiled like every email; and its link.

It is no marketing: nobody can unsubscribe from being asked, so its footer says only who writes.
"""

from __future__ import annotations

import html
import re

from django.conf import settings

from content.brand import BrandValues
from content.compile import Compiled, Source, compile_email
from content.forms.document import FormDocument
from content.forms.words import words_in
from content.tree import MergeField, TagTree
from core.signing import make_lasting_token

CONFIRM = "form-confirm"
_TREE = TagTree({"Form": (MergeField("links.confirm", "Confirm"), MergeField("tenant.name", "Our name"),
                          MergeField("tenant.postal_address", "Our postal address"))})  # fmt: skip
# The button's colours, the font and the corners are the brand's own where nothing is said here (content.brand).
_MJML = """<mjml><mj-body background-color="{{{{ brand.background }}}}">
<mj-section padding="24px 0 12px"><mj-column><mj-image src="{{{{ brand.logo }}}}" href="{{{{ brand.website }}}}" \
alt="{{{{ tenant.name }}}}" width="140px" padding="0" /></mj-column></mj-section>
<mj-section background-color="{{{{ brand.surface }}}}" padding="20px 0 16px"><mj-column>
<mj-text padding="0 32px 12px">{text}</mj-text>
<mj-button href="{{{{ links.confirm }}}}" padding="8px 32px 12px">{button}</mj-button></mj-column></mj-section>
<mj-section padding="16px 0 24px"><mj-column>
<mj-text align="center" color="{{{{ brand.muted }}}}" font-size="12px" line-height="18px" padding="0 32px">\
<span style="white-space:pre-line">{{{{ tenant.name }}}}
{{{{ tenant.postal_address }}}}</span></mj-text></mj-column></mj-section></mj-body></mjml>"""
_TEXT = "{text}\n\n{button}: {{{{ links.confirm }}}}\n\n--\n{{{{ tenant.name }}}}\n{{{{ tenant.postal_address }}}}\n"


def confirmation_source(document: FormDocument, *, tenant_language: str) -> Source:
    """Return the mail's source. The form's words are words: nothing in them is a tag or an element."""
    words = words_in(document, tenant_language=tenant_language)
    text, button = _literal(words.confirm_text), _literal(words.confirm_button)
    mjml = _MJML.format(text=html.escape(text).replace("\n", "<br/>"), button=html.escape(button))
    own = _TEXT.format(text=text, button=button)
    language = document.language or tenant_language
    return Source(_literal(words.confirm_subject), mjml, own_text=own, language=language)


def compiled_confirmation(source: Source, *, brand: BrandValues) -> Compiled:
    """Compile the mail in a brand; raises ValueError where the form's words cannot be compiled."""
    result = compile_email(source, tree=_TREE, is_marketing=False, brand=brand)
    if result.compiled is None:
        raise ValueError("; ".join(str(problem) for problem in result.problems))
    return result.compiled


def _literal(words: str) -> str:
    """Return words in which no merge tag can begin."""
    return re.sub(r"\{(?=[{%#])", "{ ", words.replace("\r\n", "\n"))


def confirm_url(*, tenant_id: int, submission_id: int) -> str:
    """Return the address that confirms a submission."""
    token = make_lasting_token(purpose=CONFIRM, tenant_id=tenant_id, values=(submission_id,))
    return f"{settings.PUBLIC_URL}/f/confirm/{token}/"
