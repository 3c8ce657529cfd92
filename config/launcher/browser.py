"""Find a real Chromium for the browser tests, install it where that is ours to do, and run a command with it.

`python -m config.launcher.browser COMMAND …` sets CHROMIUM for the command.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


def find_browser() -> str | None:
    """Return the path of a Chromium that starts: the one that CHROMIUM names, else one on PATH."""
    named = os.environ.get("CHROMIUM")
    for name in [named] if named else NAMES:
        path = shutil.which(name)
        # Some systems have a placeholder of that name which only tells to install it in another way.
        if path and _starts(path):
            return path
    return None


def install_browser() -> bool:
    """Install Chromium through apt where this is Debian and we are root; return whether that was tried and worked."""
    if os.geteuid() != 0 or not _is_debian() or shutil.which("apt-get") is None:
        return False
    print("No Chromium found: installing Debian's package for the browser tests …", flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for arguments in (["update", "-q"], ["install", "-y", "-q", "--no-install-recommends", "chromium"]):
        done = subprocess.run(
            ["apt-get", *arguments],
            check=False,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        if done.returncode:
            print(f"apt-get {arguments[0]} failed:\n{done.stdout[-2000:]}", file=sys.stderr, flush=True)
            return False
    return True


def main(command: list[str]) -> int:
    """Put the browser's path into CHROMIUM and become the command; exit 1 in CI where there is no browser."""
    browser = find_browser()
    if browser is None and not os.environ.get("CHROMIUM") and install_browser():
        browser = find_browser()
    if browser is None:
        named = os.environ.pop("CHROMIUM", "")
        reason = f"CHROMIUM={named} does not start" if named else "no Chromium or Chrome was found on PATH"
        rule = "!" * 100
        print(
            f"{rule}\nTHE BROWSER TESTS ARE LEFT OUT: {reason}.\n"
            f"Install Chromium, or name one with CHROMIUM=/path/to/chromium.\n{rule}",
            file=sys.stderr,
            flush=True,
        )
        if os.environ.get("CI", "").lower() in {"1", "true", "yes"}:
            print("In CI that is a failure.", file=sys.stderr, flush=True)
            return 1
    else:
        os.environ["CHROMIUM"] = browser
    if command:
        os.execvp(command[0], command)
    print(browser or "")
    return 0


def _starts(path: str) -> bool:
    try:
        done = subprocess.run([path, "--version"], check=False, capture_output=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0 and b"Chrom" in done.stdout


def _is_debian() -> bool:
    try:
        release = Path("/etc/os-release").read_text(encoding="utf-8")
    except OSError:
        return False
    return "ID=debian" in release.replace('"', "").splitlines()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
