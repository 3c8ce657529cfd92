"""Ask this container's web server whether it lives: the image's health check (`python -m config.launcher.probe`)."""

import http.client
import os
import sys
from urllib.parse import urlsplit


def main() -> int:
    """Return 0 where /health/live answers 200, else 1."""
    port = int(os.environ.get("PORT") or 8000)
    # A host name that is served: of the two at least one is, whatever ALLOWED_HOSTS says.
    for host in ("localhost", urlsplit(os.environ.get("PUBLIC_BASE_URL", "")).hostname):
        if host and _answers(port, host=host):
            return 0
    return 1


def _answers(port: int, *, host: str) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=4)
    try:
        connection.request("GET", "/health/live", headers={"Host": host})
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(main())
