"""Source of an email in, templates out: checks first, then MJML, CSS inlining, links, and the sandboxed templates.

Done once per save. Merge tags are hidden from every tool that would mangle them (content.tags).
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace

import mrml
from django.conf import settings
from jinja2 import TemplateSyntaxError
from premailer import Premailer

from content.brand import DEFAULT, BrandValues, branded, with_values
from content.direction import directed
from content.footer import spoken_footer, text_footer, with_footer
from content.links import EmailLink, LinkTracker
from content.markup import read_markup
from content.plain import text_from_html
from content.problems import Problem, problem_at
from content.sandbox import HTML, TEXT, check_tags, paths_of
from content.tags import Hidden, unescaped
from content.tree import TagTree, costs_a_query, registered_links

_PREHEADER = (
    '<div style="display:none;font-size:1px;line-height:1px;max-height:0;max-width:0;opacity:0;overflow:hidden">'
    "{}</div>"
)
_PIXEL = (
    '<img src="{{ _open }}" width="1" height="1" alt="" style="display:block;border:0;width:1px;height:1px">'
)


@dataclass(frozen=True, slots=True)
class Source:
    """What a writer writes."""

    subject: str
    mjml: str
    preheader: str = ""
    own_text: str | None = None
    # What it is written in, "" where nobody said.
    language: str = ""


@dataclass(frozen=True, slots=True)
class Compiled:
    """Templates that rendering needs, and what belongs to the version."""

    subject: str
    preheader: str
    html: str
    text: str
    links: tuple[EmailLink, ...] = ()
    custom_keys: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """Bytes of the HTML before merge values."""
        return len(self.html.encode())


@dataclass(slots=True)
class Result:
    """Either problems or what was compiled."""

    problems: list[Problem] = field(default_factory=list)
    compiled: Compiled | None = None


def compile_email(
    source: Source,
    *,
    tree: TagTree,
    is_marketing: bool = True,
    brand: BrandValues = DEFAULT,
    for_browser: bool = False,
) -> Result:
    """Check and compile an email. Every problem names its place; with a problem nothing is compiled.

    What is no marketing gets no footer of ours: its source says who writes. `for_browser` leaves the styles where they
    are: browsers need no inlining, which is nine tenths of the work.
    """
    source = replace(source, mjml=unescaped(source.mjml))
    problems = _check(source, tree)
    markup = read_markup(source.mjml)
    if problems or markup.problems:
        return Result([*problems, *markup.problems])
    wrapped = _wrapped(source.mjml, markup.loose)
    whole = with_footer(wrapped, source.mjml) if is_marketing else wrapped
    hidden = Hidden(directed(spoken_footer(branded(whole, brand), source.language), source.language))
    try:
        page = _to_html(hidden.source, inlined=not for_browser)
    except ValueError as error:
        return Result([Problem("mjml", f"The content cannot be compiled: {error}")])
    lost = hidden.lost(page)
    if lost:
        message = "This merge tag is not in the compiled email: it stands where MJML leaves it out."
        return Result([problem_at("mjml", source.mjml, source.mjml.find(lost[0].text), message)])
    return _finish(_filled(source, brand), hidden, page, is_marketing=is_marketing)


def _filled(source: Source, brand: BrandValues) -> Source:
    """Return the source with the brand's values outside the MJML too; there, they are settled already."""
    own = None if source.own_text is None else with_values(source.own_text, brand, escape=False)
    subject, preheader = (
        with_values(text, brand, escape=False) for text in (source.subject, source.preheader)
    )
    return Source(subject, with_values(source.mjml, brand), preheader, own, source.language)


def _check(source: Source, tree: TagTree) -> list[Problem]:
    problems = []
    if not source.subject.strip():
        problems.append(Problem("subject", "Write a subject."))
    fields = {"subject": source.subject, "preheader": source.preheader, "mjml": source.mjml}
    if source.own_text is not None:
        fields["text"] = source.own_text
    for name, text in fields.items():
        problems += check_tags(field=name, source=text, tree=tree) or _brand_problems(name, text)
    return problems


def _brand_problems(field: str, text: str) -> list[Problem]:
    """Return what is wrong with the brand's tags: they are settled here, so nothing can be done to them later."""
    left = {path for path in paths_of(with_values(text, DEFAULT)) if path.startswith("brand.")}
    return [
        problem_at(
            field,
            text,
            text.find(path),
            f"“{path}” stands alone, as in {{{{ {path} }}}}: no filter, no condition.",
        )
        for path in sorted(left)
    ]


def _wrapped(mjml: str, loose: list[tuple[int, int]]) -> str:
    """Return the source with control tags between blocks inside mj-raw, where MJML keeps their place."""
    for start, end in reversed(loose):
        mjml = f"{mjml[:start]}<mj-raw>{mjml[start:end]}</mj-raw>{mjml[end:]}"
    return mjml


def _to_html(mjml: str, *, inlined: bool) -> str:
    """Return HTML with inlined styles. No fonts of other sites, no files fetched."""
    options = mrml.RenderOptions(fonts={}, social_icon_origin=f"{settings.PUBLIC_URL}/static/mail/")
    try:
        page = mrml.to_html(mjml, mrml.ParserOptions(include_loader=mrml.noop_loader()), options).content
    except OSError as error:
        raise ValueError(str(error)) from error
    if not inlined:
        return str(page)
    logging.getLogger("CSSUTILS").setLevel(logging.CRITICAL)
    return str(
        Premailer(
            page,
            allow_network=False,
            keep_style_tags=True,
            strip_important=False,
            disable_validation=True,
            cssutils_logging_level=logging.CRITICAL,
        ).transform()
    )


def _finish(source: Source, hidden: Hidden, page: str, *, is_marketing: bool) -> Result:
    tracker = LinkTracker()
    linked = tracker.in_html(page, hidden.restore)
    text = _text_part(source, hidden, linked, tracker, is_marketing=is_marketing)
    html = _dressed(hidden.restore(linked), source.preheader)
    problems = _template_problems(html, text)
    if problems:
        return Result(problems)
    named = {p for part in (source.subject, source.preheader, source.mjml, text) for p in paths_of(part)}
    tracker.register(registered_links(named))
    return Result(
        compiled=Compiled(
            subject=source.subject.strip(),
            preheader=source.preheader.strip(),
            html=html,
            text=text,
            links=tuple(tracker.links),
            custom_keys=tuple(sorted(path.replace(".custom", "") for path in named if costs_a_query(path))),
        )
    )


def _text_part(source: Source, hidden: Hidden, page: str, tracker: LinkTracker, *, is_marketing: bool) -> str:
    if source.own_text is None:
        return hidden.restore(text_from_html(page))
    footer = text_footer(source.own_text, source.language) if is_marketing else ""
    return tracker.in_text(source.own_text.strip().replace("\r\n", "\n")) + "\n" + footer


def _dressed(html: str, preheader: str) -> str:
    """Return the page with its preheader first and the open pixel last."""
    if preheader.strip():
        start = html.find(">", html.find("<body")) + 1
        html = html[:start] + _PREHEADER.format(preheader.strip()) + html[start:]
    before, end, after = html.rpartition("</body>")
    return f"{before}{_PIXEL}{end}{after}"


def _template_problems(html: str, text: str) -> list[Problem]:
    """Return what the template compiler says of the result: the parts were checked, so this is the last net."""
    for environment, template in ((HTML, html), (TEXT, text)):
        try:
            environment.compile(template)
        except TemplateSyntaxError as error:
            return [Problem("mjml", f"The merge tags do not fit together: {error.message}")]
    return []
