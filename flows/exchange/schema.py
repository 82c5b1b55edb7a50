"""The flow file: a flow's document with everything that it uses, told by name. Documented in docs/flow-file.md.

Ids in a file are its own: each thing has a kind and a number of that kind, from 1 in the order in which the document
names them. Nothing of the tenant that it came from can be read from them.
"""

from __future__ import annotations

from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from flows.document import FlowDocument

FORMAT: Final = "millrace-flow"
VERSION: Final = 1
MOST_BYTES = 3 * 1024 * 1024
# Of these, letters of pictures (base64): a page hands the file back within DATA_UPLOAD_MAX_MEMORY_SIZE.
MOST_PICTURES: Final = 2 * 1024 * 1024
MOST_USES = 1_000


class Part(BaseModel):
    """Base of the file's parts: unknown keys are errors, parts never change in place."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Used(Part):
    """Something that the flow uses: its kind, its number in this file, its name, and what it is made of again.

    `data` is that of its kind (flows.exchange.kinds). `gone` says that it did not exist any more at the export.
    """

    kind: str = Field(max_length=40)
    id: int = Field(ge=1, le=MOST_USES)
    name: str = Field(default="", max_length=250)
    gone: bool = False
    data: dict[str, Any] = Field(default_factory=dict)

    @property
    def key(self) -> tuple[str, int]:
        """What other parts of the file name it by."""
        return self.kind, self.id


class FlowFile(Part):
    """A whole file."""

    format: Literal["millrace-flow"] = FORMAT
    version: Literal[1] = VERSION
    name: str = Field(min_length=1, max_length=120)
    description: str = Field(default="", max_length=5_000)
    document: FlowDocument
    uses: tuple[Used, ...] = Field(default=(), max_length=MOST_USES)

    def used(self, kind: str, number: int) -> Used | None:
        """Return what a number of a kind is."""
        return next((one for one in self.uses if one.key == (kind, number)), None)
