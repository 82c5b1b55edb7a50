"""An uploaded file in, a picture fit for mails out. What it is, is told from its bytes, never from its name.

Every picture is drawn anew: what a camera noted (place, owner), what hides behind the picture's end and what is not
sRGB is gone. Only formats that all mail programs show come out. Knows nothing of tenants and tables.
"""

from __future__ import annotations

import hashlib
import io
import warnings
from dataclasses import dataclass
from typing import IO

from PIL import Image, ImageCms, ImageOps, ImageSequence, UnidentifiedImageError

MOST_UPLOADED = 10 * 1024 * 1024
MOST_KEPT = 2 * 1024 * 1024
# An email is 600 pixels wide; twice as many for sharp screens.
MOST_WIDTH, MOST_HEIGHT = 1_200, 3_000
# Memory is what they cost: four bytes each. A JPEG is read at a fraction of its size.
MOST_PIXELS, MOST_PIXELS_JPEG = 25_000_000, 60_000_000
MOST_FRAMES = 150
_READ = ("PNG", "JPEG", "GIF", "WEBP")


class PictureRefused(ValueError):
    """The file is no picture that can be used; the message is for the user."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture ready to be kept. `format` is "jpg", "png" or "gif"."""

    data: bytes
    format: str
    width: int
    height: int

    @property
    def digest(self) -> str:
        """The same picture has the same one."""
        return hashlib.sha256(self.data).hexdigest()


def read_picture(file: IO[bytes], *, size: int) -> Picture:
    """Return the picture of an uploaded file of `size` bytes. Raises PictureRefused."""
    if size > MOST_UPLOADED:
        raise PictureRefused(f"The file is larger than {MOST_UPLOADED // 1024 // 1024} MB.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(file, formats=_READ) as opened:
                _check_size(opened)
                made = _moving(opened) if getattr(opened, "n_frames", 1) > 1 else _still(opened)
    except PictureRefused:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise PictureRefused("The picture has too many pixels.") from error
    except UnidentifiedImageError as error:
        raise PictureRefused(
            "This is no picture that mails can show: upload a JPEG, PNG, GIF or WebP file."
        ) from error
    except Exception as error:  # a decoder of a foreign file may raise anything: it is the file's fault
        raise PictureRefused("The file is damaged: it cannot be read as a picture.") from error
    if len(made.data) > MOST_KEPT:
        raise PictureRefused("The picture is still larger than 2 MB when resized: save it as a JPEG first.")
    return made


def _check_size(opened: Image.Image) -> None:
    width, height = opened.size
    most = MOST_PIXELS_JPEG if opened.format == "JPEG" else MOST_PIXELS
    if width * height > most:
        raise PictureRefused(
            f"The picture has too many pixels: {width:,} × {height:,}, at most {most:,} in all."
        )


def _still(opened: Image.Image) -> Picture:
    if opened.format == "JPEG":
        opened.draft("RGB", (MOST_WIDTH * 2, MOST_HEIGHT * 2))
    picture = ImageOps.exif_transpose(opened)
    clear = picture.has_transparency_data
    picture = _in_srgb(picture, "RGBA" if clear else "RGB")
    picture.thumbnail((MOST_WIDTH, MOST_HEIGHT), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    if clear or opened.format in {"PNG", "GIF"}:
        _bare(picture).save(out, "PNG", optimize=True)
        kind = "png"
    else:
        _bare(picture).save(out, "JPEG", quality=85, optimize=True, progressive=True)
        kind = "jpg"
    return Picture(out.getvalue(), kind, *picture.size)


def _in_srgb(picture: Image.Image, mode: str) -> Image.Image:
    profile = picture.info.get("icc_profile")
    if profile and picture.mode in {"RGB", "RGBA", "CMYK"}:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            output = "RGBA" if picture.mode == "RGBA" else "RGB"
            changed = ImageCms.profileToProfile(
                picture, source, ImageCms.createProfile("sRGB"), outputMode=output
            )
            picture = changed or picture
        except ImageCms.PyCMSError:
            pass  # a broken profile: the colours as they stand
    return picture.convert(mode)


def _bare(picture: Image.Image) -> Image.Image:
    """Return the picture without a word of what came with it."""
    picture.info = {}
    return picture


def _moving(opened: Image.Image) -> Picture:
    """Return a moving picture as it is, drawn anew: Pillow gives each frame whole."""
    frames = getattr(opened, "n_frames", 1)
    width, height = opened.size
    if (
        width > MOST_WIDTH
        or height > MOST_WIDTH
        or frames > MOST_FRAMES
        or width * height * frames > MOST_PIXELS * 2
    ):
        raise PictureRefused(
            f"A moving picture stays as it is: at most {MOST_WIDTH:,} pixels wide and high, and {MOST_FRAMES} frames."
        )
    drawn, lengths = [], []
    for frame in ImageSequence.Iterator(opened):
        lengths.append(min(10_000, max(20, int(frame.info.get("duration") or 100))))
        drawn.append(_bare(frame.convert("RGBA")))
    out = io.BytesIO()
    drawn[0].save(
        out,
        "GIF",
        save_all=True,
        append_images=drawn[1:],
        duration=lengths,
        loop=0,
        disposal=2,
        optimize=True,
    )
    return Picture(out.getvalue(), "gif", width, height)
