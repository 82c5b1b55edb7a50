"""Public addresses of pictures, below i/."""

from __future__ import annotations

from django.urls import URLPattern, path, register_converter

from content.views.public_images import picture


class Ending:
    """The ending of a picture's address."""

    regex = "jpg|png|gif"

    def to_python(self, value: str) -> str:
        """Return it as it is."""
        return value

    def to_url(self, value: str) -> str:
        """Return it as it is."""
        return value


register_converter(Ending, "ending")
app_name = "public_image"
urlpatterns: list[URLPattern] = [path("<str:token>.<ending:ending>", picture, name="picture")]
