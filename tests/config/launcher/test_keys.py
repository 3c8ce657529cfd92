import stat
from pathlib import Path

from cryptography.fernet import Fernet

from config.launcher.keys import keep_secret, new_fernet_key


def test_secret_is_made_once_and_kept(tmp_path: Path) -> None:
    secret = keep_secret(tmp_path / "key")
    assert len(secret) >= 40
    assert keep_secret(tmp_path / "key") == secret


def test_secret_is_for_its_owner_only(tmp_path: Path) -> None:
    keep_secret(tmp_path / "key")
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600


def test_an_interrupted_first_start_does_no_harm(tmp_path: Path) -> None:
    (tmp_path / "key.new").write_text("half")
    assert len(keep_secret(tmp_path / "key")) >= 40


def test_credential_key_is_a_fernet_key(tmp_path: Path) -> None:
    fernet = Fernet(keep_secret(tmp_path / "key", make=new_fernet_key))
    assert fernet.decrypt(fernet.encrypt(b"x")) == b"x"
