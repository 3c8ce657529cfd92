"""What somebody entered at registration, as members read it."""

from portal.accounts.models import PortalUser
from portal.forms.definition import Kind, read
from portal.forms.display import Shown, answers_of
from portal.forms.models import SubmissionFile

Answered = tuple[Shown, SubmissionFile | None]


def answers_in_words(user: PortalUser) -> list[Answered]:
    """Return every question of the version that somebody answered, with the answer and its file."""
    submission = user.submission
    if submission is None:
        return []
    shown = answers_of(read(submission.version.definition), submission.answers)
    files: dict[str, SubmissionFile] = {}
    if any(answer.field.kind == Kind.FILE for answer in shown):
        files = {file.key: file for file in submission.files.defer("content")}
    return [(answer, files.get(answer.field.key)) for answer in shown]
