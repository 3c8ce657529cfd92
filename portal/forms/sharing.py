"""How a form gets to people: its address, the QR code of it, and the snippet that embeds it into a page."""

import io
from html import escape

import segno
from django.conf import settings
from django.utils.safestring import SafeString, mark_safe

from .models import PublicForm

_PIXELS = 5  # of a module


def public_address(form: PublicForm) -> str:
    """Return the address at which anybody fills in the form."""
    return f"{settings.PUBLIC_BASE_URL}/f/{form.token}"


def qr_svg(address: str, *, of: str = "form", with_size: bool = False) -> SafeString:
    """Return a QR code as SVG, dark on white whatever the page around it; with a size it is a file of its own."""
    written = io.BytesIO()
    # Level M mends 15 % of dirt; the quiet zone of four modules is part of the standard (ISO/IEC 18004).
    segno.make(address, error="m", micro=False).save(
        written,
        kind="svg",
        scale=_PIXELS,
        border=4,
        dark="#000",
        light="#fff",
        xmldecl=with_size,
        svgns=True,
        omitsize=not with_size,
        title=f"QR code of the {of}",
    )
    return mark_safe(written.getvalue().decode())  # noqa: S308 - made by us, of an address of ours


def snippet(form: PublicForm) -> str:
    """Return the HTML that shows the form inside another page.

    It works where browsers keep cookies of other sites away: the form uses none. Only the sites in the form's rules may
    frame it.
    """
    # A plain text: the page that shows it escapes it once more.
    return (
        f'<iframe src="{escape(public_address(form))}?framed=1" title="{escape(form.title)}" width="100%" height="760"'
        ' style="border:0" loading="lazy" referrerpolicy="no-referrer"></iframe>'
    )
