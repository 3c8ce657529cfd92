"""Logo and cover of a form: known by their first bytes, given out again with the type that these say."""

from django.db import transaction
from django.http import HttpResponse

from integrations.organizations.audit import record
from integrations.organizations.models import User

from .answers import SentFile
from .file_kinds import MB, PICTURES, kind_of
from .models import FormPicture, PublicForm

KB = 1_000
# The logo is part of the first load, which stays below 60 KB with it; the cover is fetched once the page stands.
LARGEST: dict[str, int] = {FormPicture.Place.LOGO: 30 * KB, FormPicture.Place.COVER: MB}
_ADVICE: dict[str, str] = {
    FormPicture.Place.LOGO: "Visitors load it first: save it 300 pixels wide, as PNG or WebP.",
    FormPicture.Place.COVER: "Save it 1,200 pixels wide, as JPEG or WebP.",
}
SENTENCES = {
    "form.picture_set": "gave the form {which} a {place}",
    "form.picture_removed": "took the {place} from the form {which}",
}


class PictureProblem(Exception):
    """A file that is no picture for a form; the text is for the member."""


def set_picture(form: PublicForm, *, place: str, sent: SentFile, actor: User, ip: str = "") -> FormPicture:
    """Put a picture in its place on the form, instead of the one that is there; raise PictureProblem."""
    place = FormPicture.Place(place)
    most = LARGEST[place]
    if sent.content is None or len(sent.content) > most:
        raise PictureProblem(f"This picture is larger than {most // KB:,} KB. {_ADVICE[place]}")
    kind = kind_of(sent.content)
    if kind is None or kind.name not in PICTURES:
        raise PictureProblem("This is no picture that browsers show. Take a PNG, JPEG, GIF or WebP.")
    with transaction.atomic():
        # Locked, so that of two pictures at once one follows the other.
        PublicForm.objects.select_for_update(no_key=True).only("pk").get(pk=form.pk)
        # A new row, not a changed one: its address changes with it, so that no browser shows the former picture.
        form.pictures.filter(place=place).delete()
        picture = FormPicture.objects.create(
            form=form,
            place=place,
            content=sent.content,
            content_type=PICTURES[kind.name],
            size=len(sent.content),
        )
        record(
            form.organization,
            actor=actor,
            action="form.picture_set",
            target=form,
            changes={"place": place.value},
            ip=ip,
        )
    return picture


def remove_picture(form: PublicForm, *, place: str, actor: User, ip: str = "") -> bool:
    """Take a picture from the form; False where there is none."""
    with transaction.atomic():
        count, _ = form.pictures.filter(place=place).delete()
        if count:
            changes = {"place": place}
            record(form.organization, actor=actor, action="form.picture_removed", target=form, changes=changes, ip=ip)
    return bool(count)


def picture_response(picture: FormPicture) -> HttpResponse:
    """Answer the picture, in a way that nothing in it can act. Its address is its own: it may be kept for long."""
    answer = HttpResponse(bytes(picture.content), content_type=picture.content_type)
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Content-Security-Policy"] = "default-src 'none'; sandbox"
    answer["Content-Disposition"] = "inline"
    answer["Cache-Control"] = "public, max-age=604800, immutable"
    return answer
