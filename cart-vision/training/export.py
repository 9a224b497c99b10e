"""Writes a trained checkpoint as an fp32 ONNX graph, opset 17.

    python3 export.py --run RUN --root PHOTOS --out lite0-fp32.onnx

Input `image` [N, 3, 224, 224] f32, RGB, -1..1. Outputs `embedding` [N, 80] f32 (not normalised)
and `logits` [N, fine] f32: one run of the graph gives both.

The embedding is the pooled vector seen through a metric: linear discriminant analysis over the
training photos, so that directions in which views of one thing differ count little and those in
which things differ count much. A product enrolled later is measured by the same metric.
"""

from __future__ import annotations

import argparse
import json
import random
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn

from model import EMBEDDING, Lite0
from photos import INPUT, as_input, augment, read_list

# Shrinks the spread within classes towards a round one: photos already trained on show too little of it.
SHRINK = 0.3
DIMENSIONS = 80


@torch.no_grad()
def pooled(model: Lite0, rows) -> np.ndarray:
    """The pooled vectors of the photos, [photos, 1280]; every second one augmented, half of those on a floor."""
    out = []
    for start in range(0, len(rows), 32):
        looks = []
        for number, (path, _, _) in enumerate(rows[start : start + 32]):
            with Image.open(path) as file:
                image = file.convert("RGB")
            if number % 2:
                image = image.resize((300, round(300 * image.height / image.width)), Image.BILINEAR)
                looks.append(augment(image, random.Random(start + number), 0.5))
            else:
                looks.append(as_input(image))
        inputs = torch.from_numpy(np.stack(looks)).contiguous(memory_format=torch.channels_last)
        out.append(model.embed(inputs).numpy())
    return np.concatenate(out)


def metric(vectors: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(mean [1280], projection [1280, DIMENSIONS]) of the discriminant analysis."""
    mean = vectors.mean(axis=0)
    centred = vectors - mean
    centres = np.stack([centred[labels == c].mean(axis=0) for c in sorted(set(labels))])
    index = {c: i for i, c in enumerate(sorted(set(labels)))}
    within = centred - centres[[index[c] for c in labels]]
    spread = within.T @ within / len(within)
    spread = (1 - SHRINK) * spread + SHRINK * np.trace(spread) / EMBEDDING * np.eye(EMBEDDING)
    values, axes = np.linalg.eigh(spread)
    whiten = axes / np.sqrt(values)
    _, _, directions = np.linalg.svd(centres @ whiten, full_matrices=False)
    return mean, whiten @ directions[: min(DIMENSIONS, len(directions))].T


class Exported(nn.Module):
    """What is shipped: one pooled vector, its metric embedding and the fine logits."""

    def __init__(self, model: Lite0, mean: np.ndarray, projection: np.ndarray) -> None:
        super().__init__()
        self.model = model
        self.metric = nn.Linear(*projection.shape)
        with torch.no_grad():
            self.metric.weight.copy_(torch.from_numpy(projection.T.copy()))
            self.metric.bias.copy_(torch.from_numpy(-mean @ projection))

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        vector = self.model.embed(image)
        return self.metric(vector), self.model.fine(vector)


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--run", required=True, help="the folder train.py wrote")
    p.add_argument("--root", required=True, help="folder with classes.csv, the lists and the photos")
    p.add_argument("--list", default="train.txt", help="the photos the metric is made from: those trained on")
    p.add_argument("--without", help="the same file that train.py was given")
    p.add_argument("--every", type=int, default=1, help="make the metric from one photo in so many: quicker, coarser")
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--out", required=True)
    args = p.parse_args()
    torch.set_num_threads(args.threads)
    state = torch.load(Path(args.run) / "last.pt", map_location="cpu")
    classes = state["classes"]
    model = Lite0(len(classes), state["coarse"])
    model.load_state_dict(state["mean"])
    model = model.eval().to(memory_format=torch.channels_last)

    rows = read_list(Path(args.root), args.list)
    if args.without:
        left_out = {int(line.split(",")[0]) for line in Path(args.without).read_text().split()}
        rows = [row for row in rows if row[1] not in left_out]
    rows = rows[:: args.every]
    labels = np.array([fine for _, fine, _ in rows])
    vectors = pooled(model, rows).astype(np.float64)
    mean, projection = metric(vectors, labels)

    shipped = Exported(model, mean, projection).eval()
    torch.onnx.export(
        shipped, torch.zeros(1, 3, INPUT, INPUT), args.out, opset_version=17,
        input_names=["image"], output_names=["embedding", "logits"],
        dynamic_axes={"image": {0: "n"}, "embedding": {0: "n"}, "logits": {0: "n"}},
    )
    about = {
        "input": [3, INPUT, INPUT], "embedding": projection.shape[1], "classes": classes,
        "epochs": state["epoch"] + 1, "fp32_val": state["figures"],
    }
    Path(args.out).with_suffix(".json").write_text(json.dumps(about, indent=1))
    print(f"{args.out}: embedding {projection.shape[1]}, {len(classes)} classes, epoch {state['epoch'] + 1}")


if __name__ == "__main__":
    main()
