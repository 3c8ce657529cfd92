"""`python -m integrations.sandbox.server`: the sandbox without Django, which starts faster and needs less memory."""

import argparse
import logging
import os
import sys

from .app import run


def main() -> int:
    """Read the environment and the command line, then serve."""
    parser = argparse.ArgumentParser(prog="sandbox", description="The simulated Twilio.")
    parser.add_argument("--host", default=os.environ.get("SANDBOX_HOST", "127.0.0.1"))
    parser.add_argument("--port", type=int, default=int(os.environ.get("SANDBOX_PORT", "9009")), help="0: any free one")
    parser.add_argument("--log-level", default="WARNING")
    parser.add_argument("--max-messages", type=int, default=200_000, help="stored messages per account")
    options = parser.parse_args()
    secret = os.environ.get("SANDBOX_SECRET", "")
    if not secret:
        print("SANDBOX_SECRET is not set: the sandbox and the installation need the same secret.", file=sys.stderr)
        return 1
    logging.basicConfig(level=options.log_level.upper())
    try:
        run(secret, host=options.host, port=options.port, max_messages=options.max_messages)
    except OSError as error:
        print(f"The sandbox cannot listen on {options.host}:{options.port}: {error.strerror}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
