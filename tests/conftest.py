"""Fixtures that several rooms' tests share."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder with real lens models, PSFs and images for tests; skips where it is not there."""
    folder = Path(os.environ.get("SHARED_DATA", ROOT.parent / "shared" / "data"))
    if not (folder / "real").is_dir():
        pytest.skip(f"real test data not found at {folder} (set SHARED_DATA to their folder)")
    return folder
