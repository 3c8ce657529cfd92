"""Whatever is uploaded: rows, or a sentence that says why not. Never anything else."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from messaging.csv_files.columns import FieldSpec, looks_like_email, phone_field
from messaging.csv_files.encodings import ENCODINGS
from messaging.csv_files.inspection import DELIMITERS, inspect, read_rows, with_sample
from messaging.csv_files.models import Upload
from messaging.csv_files.problems import FileProblem
from messaging.csv_files.storing import store_upload
from tests.conftest import Cast

pytestmark = pytest.mark.django_db
FIELDS = (phone_field(region="DE"), FieldSpec(key="email", label="E-mail", looks_right=looks_like_email))
TABLE_LIKE = st.text(st.sampled_from('ab1+ü姓😀",;\t|\n\r\x00\x1a\u2028\u202e=sep'), max_size=60)


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    content=st.one_of(
        st.binary(min_size=1, max_size=200),
        TABLE_LIKE.map(str.encode),
        TABLE_LIKE.map(lambda text: text.encode("utf-16")),
        TABLE_LIKE.map(lambda text: text.encode("utf-16-be")),
        TABLE_LIKE.map(lambda text: text.encode("gb18030")),
        TABLE_LIKE.map(lambda text: text.encode("cp1252", "ignore")),
    ),
    encoding=st.sampled_from(["", *ENCODINGS]),
    delimiter=st.sampled_from(["", *DELIMITERS]),
    has_header=st.sampled_from([None, True, False]),
)
def test_any_bytes_are_read_or_refused_in_words(
    cast: Cast, content: bytes, encoding: str, delimiter: str, has_header: bool | None
) -> None:
    Upload.objects.all().delete()
    try:
        upload = store_upload(cast.organization, file=[content], name="a.csv", actor=None)
        seen = inspect(upload, fields=FIELDS, encoding=encoding, delimiter=delimiter, has_header=has_header)
    except FileProblem:
        return
    assert seen.header
    assert all(0 <= column < len(seen.header) for column in seen.guess.values())
    with_sample(upload, seen)
    last = seen.first
    for row in read_rows(upload, inspection=seen):
        assert row.problem or len(row.cells) == len(seen.header)
        assert not any("\x00" in cell for cell in row.cells)
        assert row.next_position.offset > last.offset
        last = row.next_position
    assert last.offset <= upload.size
