"""No secret stands in the code, but for what `.secrets.baseline` records as none."""

import json
import subprocess
from pathlib import Path

from detect_secrets.core.scan import scan_file
from detect_secrets.settings import configure_settings_from_baseline

ROOT = Path(__file__).parents[1]
BASELINE = json.loads((ROOT / ".secrets.baseline").read_text())


def found_in(names: list[str]) -> set[tuple[str, str]]:
    """File and hash of everything that looks like a secret, wherever it stands in the file."""
    configure_settings_from_baseline(BASELINE)
    return {(name, secret.secret_hash) for name in names for secret in scan_file(str(ROOT / name))}


def test_no_tracked_file_holds_a_secret() -> None:
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    recorded = {
        (name, one["hashed_secret"]) for name, ones in BASELINE["results"].items() for one in ones
    }
    assert all(not one["is_secret"] for ones in BASELINE["results"].values() for one in ones)
    names = [name for name in listed.stdout.split() if name != ".secrets.baseline"]
    assert found_in(names) <= recorded


def test_a_secret_is_found(tmp_path: Path) -> None:
    place = tmp_path / "settings.py"
    place.write_text(f'AWS = "{"AKIA" + "IOSFODNN7QXAMPLE"}"\n{"pass" + "word"} = "hunter2-more"\n')
    configure_settings_from_baseline(BASELINE)
    assert {secret.type for secret in scan_file(str(place))} == {"AWS Access Key", "Secret Keyword"}
