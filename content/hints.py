"""What may keep a mail from being read: said beside the preview, never in the way of saving."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from content.compile import Compiled
from content.plain import text_from_html
from content.tags import TAG, masked

# Gmail cuts a mail off there.
CLIPS_AT = 102 * 1024
_SUBJECT, _FEW_WORDS = 60, 20
_IMAGE = re.compile(r"<(?:mj-image|mj-carousel-image|img)\b(?:[^<>\"']|\"[^\"]*\"|'[^']*')*>")
_ADDRESS = re.compile(r"\s(?:href)=(\"[^\"]*\"|'[^']*')")
_PICTURE = re.compile(r"<img\b[^>]*>")
# Links of a message of ours: unsubscribe, preferences, view in browser.
_TO_LEAVE = re.compile(r"/m/[upv]/")
_PLACEHOLDER = re.compile(r"(?i)https?://(?:www\.)?example\.(?:com|org|net)\b")


def names_example(text: str) -> bool:
    """Say whether a text holds an address of example.com and the like, which templates leave to be filled in."""
    return bool(_PLACEHOLDER.search(text))


def hints(
    *,
    subject: str,
    mjml: str,
    compiled: Compiled,
    mail: str,
    text: str,
    postal_address: str,
    preheader: str,
    our_name: str = "",
) -> list[str]:
    """Return hints on one rendered mail (`mail` and `text`), each a sentence that says what to do.

    What every footer says (our name and address, the links to leave) counts for no words.
    """
    footer = [our_name, *postal_address.splitlines()]
    return [
        *_words(subject, preheader, _own_words(text, footer), postal_address),
        *_images(mjml, len(_own_words(text_from_html(_PICTURE.sub("", mail)), footer))),
        *_links(mjml, compiled),
        *_size(mail),
    ]


def _own_words(text: str, footer: list[str]) -> list[str]:
    words = " ".join(line for line in text.splitlines() if not _TO_LEAVE.search(line)).split()
    said = " ".join(words).strip("- ")
    # In one line or in several: both are written.
    for part in (" ".join(" ".join(footer).split()), *(" ".join(line.split()) for line in footer)):
        said = f" {said} ".replace(f" {part} ", " ") if part else said
    return said.split()


def _words(subject: str, preheader: str, own: list[str], postal_address: str) -> Iterator[str]:
    if len(subject) > _SUBJECT:
        yield f"The subject has {len(subject)} characters: phones show about {_SUBJECT}."
    if subject.isupper() and len(subject) > 5:
        yield "A subject in capital letters looks like spam."
    if not preheader.strip():
        yield "There is no preheader: inboxes show the first words of the mail instead."
    if not own:
        yield "The plain text says nothing but the footer: some programs and filters read only that."
    if not postal_address.strip():
        yield "There is no postal address: many countries require one. An administrator sets it under Brand."


def _images(mjml: str, words: int) -> Iterator[str]:
    hidden = masked(mjml)
    tags = [mjml[match.start() : match.end()] for match in _IMAGE.finditer(hidden)]
    unsaid = sum(1 for tag in tags if not re.search(r"\salt\s*=", tag))
    if unsaid:
        yield f"{_count(unsaid, 'image has', 'images have')} no text for those who do not see it."
    empty = sum(1 for tag in tags if re.search(r"\ssrc\s*=\s*(\"\s*\"|'\s*')", tag))
    if empty:
        yield f"{_count(empty, 'image is', 'images are')} not chosen yet."
    if tags and words < _FEW_WORDS:
        yield "The mail is nearly all image: filters take that for spam, and many people see no images at first."


def _links(mjml: str, compiled: Compiled) -> Iterator[str]:
    hidden = masked(mjml)
    addresses = [mjml[match.start(1) + 1 : match.end(1) - 1].strip() for match in _ADDRESS.finditer(hidden)]
    nowhere = sum(1 for address in addresses if address in {"", "#", "https://", "http://"})
    if nowhere:
        yield f"{_count(nowhere, 'link leads', 'links lead')} nowhere."
    broken = [link.url for link in compiled.links if link.url and _is_broken(link.url)]
    if broken:
        yield f"{_count(len(broken), 'link is', 'links are')} no whole address: {broken[0][:80]}"
    examples = sum(1 for link in compiled.links if names_example(link.url))
    if examples:
        yield f"{_count(examples, 'link still leads', 'links still lead')} to example.com."


def _is_broken(address: str) -> bool:
    """Say whether an address cannot lead anywhere: blanks in it, a second beginning, a site that is none. What a merge
    tag fills in is not judged."""
    plain = TAG.sub("x", address)
    if not plain.lower().startswith(("http://", "https://")):
        return False
    try:
        host = urlsplit(plain).hostname or ""
    except ValueError:
        return True
    is_site = host == "localhost" or re.fullmatch(r"[^.]+(\.[^.]+)+\.?", host)
    return not is_site or bool(re.search(r"\s|^https?://https?:", plain, re.IGNORECASE))


def _size(mail: str) -> Iterator[str]:
    if len(mail.encode()) > CLIPS_AT:
        yield "The mail is larger than 102 KB: Gmail cuts it off, with the link to unsubscribe."


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"
