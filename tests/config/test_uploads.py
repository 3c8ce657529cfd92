"""Files are refused wherever no page asks for them."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from integrations.connections.models import Connection
from messaging.sending.models import Message
from tests.conftest import Cast


@pytest.mark.django_db
def test_file_beside_a_form_is_neither_kept_nor_a_fault(cast: Cast, connection: Connection) -> None:
    client = cast.client("agent")
    fields = {"body": SimpleUploadedFile("big.bin", b"x" * 3_000_000), "to": "+4915112345678", "nonce": "n"}
    answer = client.post(cast.url("messages/send/"), fields)
    assert answer.status_code in {400, 422}
    assert not answer.wsgi_request.FILES
    assert not Message.objects.exists()
