"""The text of an SMS in more languages: lines of language and text in the step's panel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from django.http import QueryDict
from pydantic import BaseModel, ConfigDict

from content.languages import language_choices, language_name
from content.sms import LONGEST, expected_length, parts_text, text_problems
from content.tree import known_tree
from flows.steps.base import Problem

MOST_LANGUAGES = 20


class LanguageText(BaseModel):
    """What contacts of one language get instead of the step's text."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    language: str = ""
    text: str = ""


@dataclass(slots=True)
class TextLine:
    """A line of the panel."""

    index: int
    language: str
    text: str
    errors: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        """What the language is called."""
        return language_name(self.language) if self.language else "another language"

    @property
    def length(self) -> str:
        """How long the text is, in words."""
        return parts_text(expected_length(self.text))


class TextLines:
    """The lines as they were posted (`more` adds one, `drop` takes one away), or those of the step."""

    def __init__(self, *, data: QueryDict | None, kept: Sequence[LanguageText]) -> None:
        pairs = [(one.language, one.text) for one in kept] if data is None else self._posted(data)
        self.lines = [TextLine(index, language, text) for index, (language, text) in enumerate(pairs)]

    @staticmethod
    def _posted(data: QueryDict) -> list[tuple[str, str]]:
        found = []
        for index in range(MOST_LANGUAGES):
            language = data.get(f"language-{index}")
            if language is None or str(index) == data.get("drop", ""):
                continue
            text = data.get(f"language-{index}-text", "").replace("\r\n", "\n").strip()
            found.append((language, text))
        if "more" in data and len(found) < MOST_LANGUAGES:
            found.append(("", ""))
        return found

    @property
    def choices(self) -> list[tuple[str, str]]:
        """The languages."""
        return language_choices()

    @property
    def texts(self) -> tuple[LanguageText, ...]:
        """The lines that say anything."""
        return tuple(
            LanguageText(language=line.language, text=line.text)
            for line in self.lines
            if line.language or line.text
        )

    def check(self) -> bool:
        """Judge the lines; a text that is still to be written may wait."""
        known, seen = dict(self.choices), set[str]()
        for line in self.lines:
            if line.text and line.language not in known:
                line.errors.append("Choose the language of this text.")
            elif line.language and line.language in seen:
                line.errors.append(f"{line.name} stands here twice.")
            if len(line.text) > LONGEST:
                line.errors.append(f"An SMS holds at most {LONGEST} characters.")
            elif line.text:
                line.errors += [str(problem) for problem in text_problems(line.text, tree=known_tree())]
            seen.add(line.language)
        return not any(line.errors for line in self.lines)


def language_problems(texts: Sequence[LanguageText]) -> list[Problem]:
    """Return what keeps the languages of a text from being sent."""
    found = []
    for one in texts:
        for problem in text_problems(one.text, tree=known_tree()):
            said = problem.message if not problem.line else str(problem)
            found.append(Problem(f"{language_name(one.language)}: {said}", place="text"))
    return found
