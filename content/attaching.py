"""What may go with an email: what a file is, is told from its bytes; what mail providers refuse is refused. Pure.

Nothing is opened but a ZIP's list, and the first bytes of what is in it. The refusals follow what Gmail and Microsoft
365 say that they do not take (support.google.com/mail/answer/6590; learn.microsoft.com, "common attachments filter").
"""

from __future__ import annotations

import re
import zipfile
from dataclasses import dataclass
from typing import IO, Final

# Multiples of 57 bytes become whole lines of 76 characters, so pieces can be encoded one by one (1,026,000 bytes).
PIECE: Final = 57 * 18_000
MOST_BYTES: Final = 25 * 1024 * 1024
MOST_FILES: Final = 20
LONGEST_NAME: Final = 200
WORDS = (
    "PDF, pictures (JPEG, PNG, GIF, WebP, TIFF), Word, Excel, PowerPoint, OpenDocument, RTF, EPUB, plain text, CSV, "
    "calendar and contact files, audio, video and ZIP"
)
_BLOCKED = """
ace ade adp apk app appref-ms appx appxbundle arj asp aspx bas bat bin cab cer chm cmd cnt com command cpl crt csh
deb der diagcab diagcfg diagpkg dll dmg elf ex ex_ exe fxp gadget grp hlp hpj hta htc htm html img inf ins iso isp
its jar jnlp js jse ksh lha lib library-ms lnk lzh mad mcf mda mdb mde mdt mdw mdz mht mhtml mjs msc msh msi msix
msixbundle msp mst msu nsh ocx ops osd pcd pif pkg pl plg prf prg printerexport ps1 ps1xml ps2 psc1 psc2 psd1 psdm1
pst py pyc pyo pyw pyz pyzw reg rev rpm scf scr sct sh shb shs shtml svg svgz swf sys theme tmp udl url vb vbe vbp
vbs vhd vhdx vsmacros vsw vxd webpnp website wim wsb wsc wsf wsh xbap xht xhtml xll xnk docm dotm xlsm xltm xlam
pptm potm ppsm ppam sldm
"""
BLOCKED: Final = frozenset(_BLOCKED.split())
_ARCHIVES: Final = frozenset(
    {"zip", "rar", "7z", "gz", "tgz", "bz2", "tbz", "xz", "txz", "tar", "zst", "z", "jar"}
)
# First bytes of what a machine runs, and of disks and archives that cannot be looked into.
_PROGRAMS: Final = (
    b"\x7fELF", b"\xfe\xed\xfa\xce", b"\xfe\xed\xfa\xcf", b"\xce\xfa\xed\xfe", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe",
    b"dex\n", b"\0asm", b"#!", b"L\0\0\0\x01\x14\x02\0", b"!<arch>", b"\xed\xab\xee\xdb", b"xar!", b"ITSF",
)  # fmt: skip
_CLOSED: Final = (
    b"Rar!", b"7z\xbc\xaf\x27\x1c", b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"MSCF", b"\x28\xb5\x2f\xfd",
)  # fmt: skip
_STARTS: Final = (
    (b"%PDF-", ("pdf",), "application/pdf"),
    (b"\x89PNG\r\n\x1a\n", ("png",), "image/png"),
    (b"\xff\xd8\xff", ("jpg", "jpeg"), "image/jpeg"),
    (b"GIF87a", ("gif",), "image/gif"),
    (b"GIF89a", ("gif",), "image/gif"),
    (b"II*\0", ("tif", "tiff"), "image/tiff"),
    (b"MM\0*", ("tif", "tiff"), "image/tiff"),
    (b"{\\rtf", ("rtf",), "application/rtf"),
    (b"ID3", ("mp3",), "audio/mpeg"),
    (b"\xff\xfb", ("mp3",), "audio/mpeg"),
    (b"OggS", ("ogg", "oga", "ogv"), "audio/ogg"),
)
_RIFF: Final = {b"WEBP": (("webp",), "image/webp"), b"WAVE": (("wav",), "audio/wav")}
_OFFICE: Final = "application/vnd.openxmlformats-officedocument."
_OPEN: Final = "application/vnd.oasis.opendocument."
_ZIPPED: Final = (
    ("word/document.xml", ("docx", "dotx"), f"{_OFFICE}wordprocessingml.document"),
    ("xl/workbook.xml", ("xlsx", "xltx"), f"{_OFFICE}spreadsheetml.sheet"),
    ("ppt/presentation.xml", ("pptx", "ppsx", "potx"), f"{_OFFICE}presentationml.presentation"),
)
_NAMED: Final = {
    f"{_OPEN}text": "odt", f"{_OPEN}spreadsheet": "ods", f"{_OPEN}presentation": "odp", "application/epub+zip": "epub",
}  # fmt: skip
# Names of streams in the old format of Office, as they stand there: UTF-16.
_OLE: Final = (("WordDocument", "doc"), ("Workbook", "xls"), ("PowerPoint Document", "ppt"))
_OLE_KINDS: Final = {
    "doc": "application/msword",
    "xls": "application/vnd.ms-excel",
    "ppt": "application/vnd.ms-powerpoint",
}
_TEXTS: Final = {
    "csv": "text/csv", "md": "text/markdown", "log": "text/plain", "tsv": "text/tab-separated-values",
    "json": "application/json", "xml": "application/xml", "ics": "text/calendar", "vcf": "text/vcard",
    "txt": "text/plain",
}  # fmt: skip
_PAGE = re.compile(rb"\s*<(?:!doctype\s+(?:html|svg)|html|svg|script|head|body|hta:|\?php)", re.IGNORECASE)
_TRICKS = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


class AttachmentRefused(ValueError):
    """The file is not taken; the message is for whoever uploads it."""


@dataclass(frozen=True, slots=True)
class Told:
    """What a file is: its name as recipients see it, and its media type."""

    name: str
    kind: str


def megabytes(size: int) -> str:
    """Return bytes for people: "3 KB", "12.4 MB"; never less than there is."""
    if size < 1024 * 1024:
        return f"{max(1, -(-size // 1024))} KB"
    return f"{-(-size * 10 // (1024 * 1024)) / 10:g} MB"


def told(file: IO[bytes], *, name: str, size: int) -> Told:
    """Return what a file is, or raise AttachmentRefused. Reads its beginning; all of it only where it must."""
    if not size:
        raise AttachmentRefused("The file is empty.")
    if size > MOST_BYTES:
        raise AttachmentRefused(f"It has {megabytes(size)}: attachments have at most 25 MB together.")
    clean = _clean(name)
    given = _ending(clean)
    if given in BLOCKED:
        raise AttachmentRefused(f"Mail providers refuse files of the kind “.{given}”.")
    file.seek(0)
    endings, kind = _kind(file, file.read(4096), given)
    return Told(_named(clean, endings), kind)


def _kind(file: IO[bytes], head: bytes, given: str) -> tuple[tuple[str, ...], str]:
    """Return the endings that a file of this kind may have, the usual one first, and the media type."""
    if _runs(head):
        raise AttachmentRefused("It is a program: mail providers refuse it.")
    if head.startswith(_CLOSED):
        raise AttachmentRefused("An archive of this kind cannot be looked into: use a ZIP.")
    if head.startswith(b"PK\x03\x04"):
        return _zip(file)
    if head.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        return _old_office(file)
    for start, endings, kind in _STARTS:
        if head.startswith(start):
            return endings, kind
    if head[:4] == b"RIFF" and head[8:12] in _RIFF:
        return _RIFF[head[8:12]]
    if head[4:8] == b"ftyp":
        return _film(head[8:12])
    return _text(file, head, given)


def _runs(head: bytes) -> bool:
    return head.startswith(_PROGRAMS) or (head.startswith(b"MZ") and b"\0" in head)


def _film(brand: bytes) -> tuple[tuple[str, ...], str]:
    if brand in {b"M4A ", b"M4B "}:
        return ("m4a",), "audio/mp4"
    if brand in {b"heic", b"heix", b"mif1"}:
        return ("heic", "heif"), "image/heic"
    if brand == b"avif":
        return ("avif",), "image/avif"
    return (("mov",), "video/quicktime") if brand == b"qt  " else (("mp4", "m4v"), "video/mp4")


def _zip(file: IO[bytes]) -> tuple[tuple[str, ...], str]:
    try:
        with zipfile.ZipFile(file) as archive:
            parts = archive.infolist()
            names = {part.filename for part in parts}
            if any(name.lower().endswith(("vbaproject.bin", "vbadata.xml")) for name in names):
                raise AttachmentRefused("It is a document with macros: mail providers refuse it.")
            if any(part.flag_bits & 1 for part in parts):
                raise AttachmentRefused("The archive is locked with a password: mail providers refuse it.")
            if (known := _document(archive, names)) is not None:
                return known
            _look_into(archive, parts)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, RuntimeError, EOFError) as error:
        if isinstance(error, AttachmentRefused):
            raise
        raise AttachmentRefused("The archive is damaged.") from error
    return ("zip",), "application/zip"


def _document(archive: zipfile.ZipFile, names: set[str]) -> tuple[tuple[str, ...], str] | None:
    if "mimetype" in names and archive.getinfo("mimetype").file_size < 200:
        kind = archive.read("mimetype").decode("ascii", "replace").strip()
        if kind in _NAMED:
            return (_NAMED[kind],), kind
    if "[Content_Types].xml" in names:
        return next(((ends, kind) for part, ends, kind in _ZIPPED if part in names), None)
    return None


def _look_into(archive: zipfile.ZipFile, parts: list[zipfile.ZipInfo]) -> None:
    if len(parts) > 2_000:
        raise AttachmentRefused("The archive holds more than 2,000 files.")
    for part in parts:
        if part.is_dir():
            continue
        last = part.filename.replace("\\", "/").rpartition("/")[2]
        ending = _ending(last)
        if ending in BLOCKED - {"jar"}:
            raise AttachmentRefused(
                f"It holds “{last[:60]}”: mail providers refuse files of the kind “.{ending}”."
            )
        if ending in _ARCHIVES:
            raise AttachmentRefused(
                f"It holds “{last[:60]}”: an archive in an archive cannot be looked into."
            )
        with archive.open(part) as inner:
            if _runs(inner.read(64)):
                raise AttachmentRefused(f"It holds “{last[:60]}”, a program: mail providers refuse it.")


def _old_office(file: IO[bytes]) -> tuple[tuple[str, ...], str]:
    file.seek(0)
    data = file.read()
    if any(name.encode("utf-16-le") in data for name in ("_VBA_PROJECT", "Macros")):
        raise AttachmentRefused("It is a document with macros: mail providers refuse it.")
    if "EncryptedPackage".encode("utf-16-le") in data:
        raise AttachmentRefused("The document is locked with a password: mail providers refuse it.")
    for stream, ending in _OLE:
        if stream.encode("utf-16-le") in data:
            return (ending,), _OLE_KINDS[ending]
    raise AttachmentRefused(f"This kind of file is not taken. Attach {WORDS}.")


def _text(file: IO[bytes], head: bytes, given: str) -> tuple[tuple[str, ...], str]:
    """Return what a plain text is; its name chooses among the kinds of text, which look alike."""
    if _PAGE.match(head.removeprefix(b"\xef\xbb\xbf")):
        raise AttachmentRefused(
            "It is a web page or a drawing with a program in it: mail providers refuse it."
        )
    wide = head.startswith((b"\xff\xfe", b"\xfe\xff"))
    file.seek(0)
    while piece := file.read(PIECE):
        if not wide and re.search(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]", piece):
            raise AttachmentRefused(f"This kind of file is not taken. Attach {WORDS}; others go in a ZIP.")
    if head.lstrip()[:15].upper().startswith(b"BEGIN:VCALENDAR"):
        return ("ics",), _TEXTS["ics"]
    if head.lstrip()[:11].upper().startswith(b"BEGIN:VCARD"):
        return ("vcf",), _TEXTS["vcf"]
    ending = given if given in _TEXTS and given not in {"ics", "vcf"} else "txt"
    return (ending,), _TEXTS[ending]


def _ending(name: str) -> str:
    return name.rstrip(" .").rpartition(".")[2].lower() if "." in name else ""


def _clean(name: str) -> str:
    """Return a name without folders, control characters and tricks of direction."""
    last = re.split(r"[/\\]", name)[-1]
    return " ".join(_TRICKS.sub("", " ".join(last.split())).split()).strip(" .")


def _named(clean: str, endings: tuple[str, ...]) -> str:
    """Return the name with the true ending: kept where it is one, put behind it where it says something else."""
    stem, dot, given = clean.rpartition(".")
    if dot and given.lower() in endings:
        ending = given
    else:
        stem, ending = clean, endings[0]
    return f"{(stem or 'file')[: LONGEST_NAME - len(ending) - 1]}.{ending}"
