"""Run a command with embedded servers and throwaway secrets: `python -m config.launcher.with_servers COMMAND …`."""

import contextlib
import signal
import subprocess
import sys

from config.launcher.errors import LauncherError
from config.launcher.processes import StopRequestedError, tie_to_parent
from config.launcher.temporary import TemporaryServers, fill_environment


def main(command: list[str]) -> int:
    """Run the command and return its exit code."""
    servers = TemporaryServers()
    servers.supervisor.listen_to_signals()
    try:
        fill_environment(servers)
        process = subprocess.Popen(command, preexec_fn=tie_to_parent(signal.SIGTERM))
        with contextlib.suppress(StopRequestedError):
            servers.supervisor.wait_until(lambda: process.poll() is not None, seconds=float("inf"), every=0.05)
        if process.poll() is None:
            process.terminate()
        return process.wait()
    except StopRequestedError:
        return 130
    except (LauncherError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    finally:
        servers.stop()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
