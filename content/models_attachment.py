"""Files that go with emails. The bytes stand in the database, in pieces: every worker has them, and every backup."""

from __future__ import annotations

from django.db import models

from core.models import TenantForeignKey, TenantModel


class StoredFile(TenantModel):
    """A file's content, told by its digest: it never changes, and the same file is kept once. `size` in bytes.

    `touched_at` is when it was last uploaded or attached: what nothing holds a day after that is collected.
    """

    digest = models.CharField(max_length=64)
    size = models.IntegerField()
    touched_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant", "digest"], name="stored_file_once")]
        indexes = [models.Index(fields=["tenant", "touched_at"], name="stored_files_touched")]


class StoredPiece(TenantModel):
    """A piece of a file's bytes, from number 0; all but the last are content.attaching.PIECE long."""

    file = TenantForeignKey(StoredFile, on_delete=models.CASCADE, related_name="+")
    number = models.IntegerField()
    data = models.BinaryField()

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant", "file", "number"], name="stored_piece_once")]


class Attachment(TenantModel):
    """A file of one version of an email, with its name there. As immutable as the version; `number` from 1."""

    version = TenantForeignKey("content.EmailVersion", on_delete=models.CASCADE, related_name="attachments")
    file = TenantForeignKey(StoredFile, on_delete=models.PROTECT, related_name="attachments")
    number = models.IntegerField()
    name = models.CharField(max_length=200)
    kind = models.CharField(max_length=100)

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(fields=["tenant", "version", "number"], name="attachment_once")
        ]
        indexes = [models.Index(fields=["tenant", "file"], name="attachments_of_file")]
