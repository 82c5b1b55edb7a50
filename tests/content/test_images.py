"""Pictures: what is taken and what is refused, told by the bytes; kept to the tenant; served to everybody for ever."""

from __future__ import annotations

import io
import re
import zlib
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image as Pil

from accounts.models import AuditEntry
from content.image_urls import image_path, image_url, images_in
from content.models import Image, ImageData
from content.operations import images as operations
from content.operations.emails import Draft, create_email, delete_email, save_email
from content.operations.images import upload_image
from content.pictures import PictureRefused, read_picture
from core.signing import make_lasting_token
from core.tenancy import tenant_scope
from tests.content.conftest import mail
from tests.fixtures.people import LAST_MONDAY, Person


def drawn(size: tuple[int, int] = (40, 30), kind: str = "PNG", mode: str = "RGB", **options: Any) -> bytes:
    out = io.BytesIO()
    Pil.new(mode, size, (200, 30, 60) if mode == "RGB" else (200, 30, 60, 90)).save(out, kind, **options)
    return out.getvalue()


def read(data: bytes) -> Any:
    return read_picture(io.BytesIO(data), size=len(data))


def upload(person: Person, name: str, data: bytes, kind: str = "image/png") -> Any:
    file = SimpleUploadedFile(name, data, content_type=kind)
    return person.client().post(person.url("content/images/upload/"), {"files": [file]}, follow=True)


def keep(person: Person, data: bytes | None = None, name: str = "mill.png") -> Image:
    data = data or drawn()
    with tenant_scope(person.tenant.pk):
        return upload_image(
            file=io.BytesIO(data), size=len(data), file_name=name, actor=person.user, now=LAST_MONDAY
        )[0]


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims to be huge and holds nothing: a decompression bomb in 67 bytes."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return len(body).to_bytes(4, "big") + kind + body + zlib.crc32(kind + body).to_bytes(4, "big")

    head = width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes([8, 2, 0, 0, 0])
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(b"\0"))
        + chunk(b"IEND", b"")
    )


# --- what a file is -----------------------------------------------------------------------------------------------


def test_a_large_photo_is_made_as_wide_as_mails_need() -> None:
    picture = read(drawn((3000, 2000), "JPEG"))
    assert (picture.format, picture.width, picture.height) == ("jpg", 1200, 800)
    assert Pil.open(io.BytesIO(picture.data)).size == (1200, 800)


def test_a_small_picture_keeps_its_size_and_its_clear_parts() -> None:
    picture = read(drawn((40, 30), "PNG", "RGBA"))
    assert (picture.format, picture.width, picture.height) == ("png", 40, 30)
    assert Pil.open(io.BytesIO(picture.data)).convert("RGBA").getpixel((0, 0)) == (200, 30, 60, 90)


def test_webp_becomes_what_outlook_shows() -> None:
    assert read(drawn(kind="WEBP")).format == "jpg"
    assert read(drawn(kind="WEBP", mode="RGBA")).format == "png"


def test_what_a_camera_noted_is_gone_and_the_picture_stands_upright() -> None:
    exif = Pil.Exif()
    exif[0x0112] = 6
    exif[0x010F] = "SECRET CAMERA"
    exif.get_ifd(0x8825)[2] = (59.0, 54.0, 0.0)
    data = drawn((60, 40), "JPEG", exif=exif, comment=b"SECRET WORDS")
    assert b"SECRET CAMERA" in data
    picture = read(data)
    assert (picture.width, picture.height) == (40, 60)
    assert b"SECRET" not in picture.data
    assert not Pil.open(io.BytesIO(picture.data)).getexif()


def test_what_hides_behind_a_picture_is_gone() -> None:
    picture = read(drawn() + b"<script>alert(1)</script>")
    assert b"<script>" not in picture.data


def test_a_moving_picture_moves_on_without_its_comment() -> None:
    frames = [Pil.new("RGB", (20, 20), colour) for colour in ("red", "green", "blue")]
    out = io.BytesIO()
    frames[0].save(
        out, "GIF", save_all=True, append_images=frames[1:], duration=80, loop=0, comment=b"SECRET"
    )
    picture = read(out.getvalue())
    again = Pil.open(io.BytesIO(picture.data))
    assert (picture.format, getattr(again, "n_frames", 1)) == ("gif", 3)
    assert b"SECRET" not in picture.data


@pytest.mark.parametrize(
    "data",
    [
        b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
        b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg'/>",
        b"<html><script>alert(1)</script></html>",
        b"%PDF-1.4", b"GIF89a", b"\x89PNG\r\n\x1a\n", b"", b"\0" * 2000, b"RIFF\x10\0\0\0WEBPVP8 ",
    ],
)  # fmt: skip
def test_what_is_no_picture_is_refused_whatever_its_name_says(data: bytes) -> None:
    with pytest.raises(PictureRefused):
        read(data)


@pytest.mark.parametrize("kind", ["TIFF", "BMP", "ICO", "PPM"])
def test_pictures_that_mails_do_not_show_are_refused(kind: str) -> None:
    with pytest.raises(PictureRefused, match="upload a JPEG, PNG, GIF or WebP"):
        read(drawn((32, 32), kind))


def test_a_bomb_is_refused_before_it_is_unpacked() -> None:
    with pytest.raises(PictureRefused, match="too many pixels"):
        read(png_header(60_000, 60_000))
    with pytest.raises(PictureRefused, match="too many pixels: 6,000 × 6,000"):
        read(png_header(6_000, 6_000))


def test_a_file_cut_off_is_refused() -> None:
    data = drawn((400, 300), "JPEG")
    with pytest.raises(PictureRefused, match="damaged"):
        read(data[: len(data) // 2])


def test_a_file_that_is_too_large_is_not_even_opened() -> None:
    with pytest.raises(PictureRefused, match="larger than 10 MB"):
        read_picture(io.BytesIO(b""), size=10 * 1024 * 1024 + 1)


# --- the library --------------------------------------------------------------------------------------------------


def test_a_writer_uploads_and_the_same_picture_is_kept_once(wendy: Person) -> None:
    page = upload(wendy, "../../etc/Our_mill 🌊.png", drawn()).content.decode()
    assert "1 picture uploaded." in page
    assert "Our mill 🌊" in page
    assert "was there already." in upload(wendy, "other.png", drawn()).content.decode()
    with tenant_scope(wendy.tenant.pk):
        image = Image.objects.get()
        assert ImageData.objects.count() == 1
        assert AuditEntry.objects.filter(action="image.uploaded").count() == 1
    assert (image.name, image.format, image.width, image.height) == ("Our mill 🌊", "png", 40, 30)


@pytest.mark.parametrize("name", ["logo.png", "logo.svg", "page.html"])
def test_markup_is_refused_and_said_by_name(wendy: Person, name: str) -> None:
    page = upload(
        wendy, name, b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"
    ).content.decode()
    assert f"“{name}” was not kept." in page
    with tenant_scope(wendy.tenant.pk):
        assert not Image.objects.exists()


def test_several_at_once_each_with_its_own_answer(wendy: Person) -> None:
    files = [
        SimpleUploadedFile("a.png", drawn((10, 10))), SimpleUploadedFile("b.png", drawn((11, 11))),
        SimpleUploadedFile("c.png", b"no"),
    ]  # fmt: skip
    page = (
        wendy.client()
        .post(wendy.url("content/images/upload/"), {"files": files}, follow=True)
        .content.decode()
    )
    assert "2 pictures uploaded." in page
    assert "“c.png” was not kept." in page
    nothing = wendy.client().post(wendy.url("content/images/upload/"), {}, follow=True).content.decode()
    assert "Choose a picture first." in nothing


def test_a_tenants_room_has_an_end(wendy: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operations, "MOST_IMAGES", 1)
    keep(wendy)
    assert "as many as can be kept" in upload(wendy, "b.png", drawn((9, 9))).content.decode()
    monkeypatch.setattr(operations, "MOST_IMAGES", 10)
    monkeypatch.setattr(operations, "MOST_BYTES", 10)
    assert "fill the 1 GB" in upload(wendy, "b.png", drawn((9, 9))).content.decode()


def test_search_looks_at_names_and_texts(wendy: Person) -> None:
    keep(wendy, drawn((10, 10)), "Mill wheel.png")
    other = keep(wendy, drawn((11, 11)), "Team.png")
    answer = wendy.client().post(
        wendy.url(f"content/images/{other.pk}/"), {"name": "Team", "alt": "Four at the wheel"}
    )
    assert answer.status_code == 302
    page = wendy.client().get(wendy.url("content/images/?q=wheel")).content.decode()
    assert "Mill wheel" in page
    assert "Team" in page
    assert "Team" not in wendy.client().get(wendy.url("content/images/?q=mill")).content.decode()


def test_an_email_that_shows_a_picture_keeps_it_from_being_deleted(wendy: Person, bob: Person) -> None:
    image = keep(wendy)
    source = mail("Hi").replace("</mj-column>", f'<mj-image src="{image_url(image)}" alt="" /></mj-column>')
    with tenant_scope(wendy.tenant.pk):
        email = create_email(name="News", actor=None, now=LAST_MONDAY)
        draft = Draft("News", "Hi", source)
        assert save_email(email_id=email.pk, draft=draft, revision=0, actor=None, now=LAST_MONDAY).is_saved
    url = bob.url(f"content/images/{image.pk}/")
    page = bob.client().get(url).content.decode()
    assert f'href="{bob.url(f"content/{email.pk}/")}">News</a>' in page
    refused = bob.client().post(url + "delete/", follow=True).content.decode()
    assert (
        f'cannot be deleted: it is used by <a href="{bob.url(f"content/{email.pk}/")}">News</a>.' in refused
    )
    with tenant_scope(wendy.tenant.pk):
        delete_email(email_id=email.pk, actor=None, now=LAST_MONDAY)
    assert "deleted." in bob.client().post(url + "delete/", follow=True).content.decode()
    assert Client().get(image_path(image)).status_code == 404
    with tenant_scope(wendy.tenant.pk):
        assert not ImageData.objects.exists()


def test_a_writer_does_not_delete_and_a_rep_finds_nothing(wendy: Person, rory: Person) -> None:
    image = keep(wendy)
    assert wendy.client().post(wendy.url(f"content/images/{image.pk}/delete/")).status_code == 404
    for path in ("content/images/", f"content/images/{image.pk}/"):
        assert rory.client().get(rory.url(path)).status_code == 404
    assert upload(rory, "a.png", drawn()).status_code == 404
    with tenant_scope(wendy.tenant.pk):
        assert Image.objects.count() == 1


# --- the public address -------------------------------------------------------------------------------------------


def test_anybody_gets_the_picture_and_may_keep_it_for_ever(wendy: Person) -> None:
    image = keep(wendy)
    response = Client().get(image_path(image))
    assert response.status_code == 200
    assert response["Content-Type"] == "image/png"
    assert response["Cache-Control"] == "public, max-age=31536000, immutable"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert "Set-Cookie" not in response
    assert Pil.open(io.BytesIO(response.content)).size == (40, 30)
    again = Client().get(image_path(image), headers={"If-None-Match": response["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_forged_and_foreign_addresses_find_nothing(wendy: Person, charlie: Person) -> None:
    image = keep(wendy)
    path = image_path(image)
    foreign = make_lasting_token(purpose="image", tenant_id=charlie.tenant.pk, values=(image.pk,))
    form = make_lasting_token(purpose="form", tenant_id=wendy.tenant.pk, values=(image.pk,))
    for bad in (
        path.replace(".png", ".jpg"), path.replace(".png", "x.png"), f"/i/{foreign}.png", f"/i/{form}.png", "/i/a.png",
    ):  # fmt: skip
        assert Client().get(bad).status_code == 404, bad
    assert Client().post(path).status_code == 405


def test_another_tenants_picture_is_no_use_of_ours(wendy: Person, charlie: Person) -> None:
    image = keep(wendy)
    assert list(images_in(f'src="{image_url(image)}"', wendy.tenant.pk)) == [image.pk]
    assert list(images_in(f'src="{image_url(image)}"', charlie.tenant.pk)) == []
    assert re.search(r"content/images", charlie.client().get(charlie.url("content/images/")).content.decode())
    assert "mill" not in charlie.client().get(charlie.url("content/images/")).content.decode()
    assert charlie.client().get(charlie.url(f"content/images/{image.pk}/")).status_code == 404
