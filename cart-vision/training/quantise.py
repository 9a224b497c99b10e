"""Makes the shipped int8 model of the fp32 one, and measures both on a list.

    python quantise.py --model pair-fp32.onnx --root PHOTOS --out ../../assets/models/pair.onnx

Static QDQ, per channel, MinMax over 128 training photos; the two last layers stay fp32, for they
carry the order of near classes. Beside the model goes its description, a .json file with the fingerprint
(SHA-256 of the .onnx file); `calibrate` of the Rust crate then adds temperature and thresholds.
Needs requirements.txt in a virtual environment.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import tempfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process
from PIL import Image

from photos import as_input, read_list

CALIBRATION_PHOTOS = 128


class Photos(CalibrationDataReader):
    """A random draw of the training photos, one at a time."""

    def __init__(self, rows) -> None:
        picked = random.Random(5).sample(rows, min(CALIBRATION_PHOTOS, len(rows)))
        self.left = [path for path, _, _ in picked]

    def get_next(self):
        return {"image": as_input(Image.open(self.left.pop()))[None]} if self.left else None


def figures(model: str, rows, coarse_of: list[int]) -> dict:
    """Shares right on plain photos."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    top1 = top3 = coarse1 = 0
    for path, fine, coarse in rows:
        logits = session.run(["logits"], {"image": as_input(Image.open(path))[None]})[0][0]
        best = np.argsort(-logits)[:3].tolist()
        top1 += best[0] == fine
        top3 += fine in best
        coarse1 += coarse_of[best[0]] == coarse
    n = max(len(rows), 1)
    return {"images": len(rows), "top1": round(top1 / n, 4), "top3": round(top3 / n, 4), "coarse1": round(coarse1 / n, 4)}


def parser() -> argparse.ArgumentParser:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--model", required=True)
    p.add_argument("--root", required=True)
    p.add_argument("--list", default="train.txt", help="photos for the ranges: those trained on")
    p.add_argument("--val", default="val.txt", help="photos to measure on")
    p.add_argument("--out", required=True)
    return p


def quantise(args: argparse.Namespace) -> None:
    """Writes the int8 model with its description, and says what both are worth."""
    root, out = Path(args.root), Path(args.out)
    about = json.loads(Path(args.model).with_suffix(".json").read_text())
    # The place of each class among the logits; classes that were left out have none.
    place = {c["id"]: i for i, c in enumerate(about["classes"])}
    rows = [row for name in args.list.split(",") for row in read_list(root, name) if row[1] in place]
    val = [(path, place[fine], coarse) for path, fine, coarse in read_list(root, args.val) if fine in place]
    with tempfile.TemporaryDirectory() as folder:
        ready = str(Path(folder) / "ready.onnx")
        quant_pre_process(args.model, ready, skip_symbolic_shape=True)
        heads = [node.name for node in onnx.load(ready).graph.node if node.op_type in ("Gemm", "MatMul")]
        quantize_static(
            ready, str(out), Photos(rows), quant_format=QuantFormat.QDQ, per_channel=True,
            activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8, nodes_to_exclude=heads,
        )
    coarse_of = [c["coarse"] for c in about["classes"]]
    fp32, int8 = figures(args.model, val, coarse_of), figures(str(out), val, coarse_of)
    described = {
        "fingerprint": hashlib.sha256(out.read_bytes()).hexdigest(),
        "input": about["input"],
        "embedding": about["embedding"],
        "classes": [c["sku"] for c in about["classes"]],
        "coarse": coarse_of,
    }
    out.with_suffix(".json").write_text(json.dumps(described, indent=1) + "\n")
    print(json.dumps({"fp32": fp32, "int8": int8, "bytes": out.stat().st_size}))


if __name__ == "__main__":
    quantise(parser().parse_args())
