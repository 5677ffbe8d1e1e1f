"""Copies what the pages load from installed npm packages into the folder they are served from.

Run as `python -m interlock.console.assets [FOLDER]`, where FOLDER is the `node_modules` that npm filled.
"""

import shutil
import sys
from pathlib import Path

STATIC = Path(__file__).parent / "static"
VENDOR = {
    "tabler": "tabler.min.css",
    "htmx": "htmx.min.js",
    "events": "hx-sse.min.js",
    "plots": "uPlot.iife.min.js",
    "plots_style": "uPlot.min.css",
}
SOURCES = {
    "tabler": "@tabler/core/dist/css/tabler.min.css",
    "htmx": "htmx.org/dist/htmx.min.js",
    "events": "htmx.org/dist/ext/hx-sse.min.js",
    "plots": "uplot/dist/uPlot.iife.min.js",
    "plots_style": "uplot/dist/uPlot.min.css",
}


class AssetMissing(Exception):
    """A package is not installed, or its files are laid out in another way."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"{path} does not exist. Run ./dev assets to install the packages of package-lock.json. Until then "
            "the console works with its own plain style and without refreshing by itself."
        )


def copy_assets(node_modules: Path, static: Path = STATIC) -> tuple[Path, ...]:
    """Copy every file the pages load; all or none. Returns what was written. Raises AssetMissing."""
    pairs = [(node_modules / SOURCES[name], static / "vendor" / file) for name, file in VENDOR.items()]
    for source, _ in pairs:
        if not source.is_file():
            raise AssetMissing(source)
    for source, target in pairs:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
    return tuple(target for _, target in pairs)


def main(arguments: list[str]) -> int:
    """The command; returns its exit code."""
    folder = Path(arguments[0]) if arguments else Path("node_modules")
    try:
        written = copy_assets(folder)
    except AssetMissing as missing:
        print(missing, file=sys.stderr)
        return 1
    for path in written:
        print(f"Copied: {path.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
