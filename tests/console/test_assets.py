"""What pages load from elsewhere is copied, all or nothing."""

from pathlib import Path

import pytest

from interlock.console.assets import SOURCES, VENDOR, AssetMissing, copy_assets


def test_every_file_is_copied(tmp_path: Path) -> None:
    for source in SOURCES.values():
        (tmp_path / "node_modules" / source).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "node_modules" / source).write_text(source)

    written = copy_assets(tmp_path / "node_modules", tmp_path / "static")

    assert [path.name for path in written] == list(VENDOR.values())
    assert (tmp_path / "static" / "vendor" / VENDOR["htmx"]).read_text() == SOURCES["htmx"]


def test_a_missing_package_is_named_and_nothing_is_copied(tmp_path: Path) -> None:
    (tmp_path / SOURCES["tabler"]).parent.mkdir(parents=True)
    (tmp_path / SOURCES["tabler"]).write_text("x")

    with pytest.raises(AssetMissing, match=r"htmx\.min\.js does not exist. Run ./dev assets"):
        copy_assets(tmp_path, tmp_path / "static")

    assert not (tmp_path / "static").exists()
