"""Writes one or several trained checkpoints as one fp32 ONNX graph, opset 17.

    python3 export.py --run LITE0 --run LITE2 --root PHOTOS --out pair-fp32.onnx

Input `image` [N, 3, 224, 224] f32, RGB, -1..1. Outputs `embedding` [N, dimensions] f32 (not
normalised) and `logits` [N, fine] f32: one run of the graph gives both. Several nets see the same
input: their logits are averaged, their pooled vectors laid side by side.

The embedding is the pooled vector seen through a metric: linear discriminant analysis over the
training photos, so that directions in which views of one thing differ count little and those in
which things differ count much. A product enrolled later is measured by the same metric.
"""

from __future__ import annotations

import argparse
import inspect
import json
import random
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn

from model import Lite, load_run
from photos import INPUT, as_input, augment, normalise, read_list

# Shrinks the spread within classes towards a round one: photos already trained on show too little of it.
SHRINK = 0.3
DIMENSIONS = 80


class Nets(nn.Module):
    """One or several backbones on one input."""

    def __init__(self, models: list[Lite]) -> None:
        super().__init__()
        self.models = nn.ModuleList(models)

    def embed(self, image: torch.Tensor) -> list[torch.Tensor]:
        """The pooled vectors, [N, 1280] each."""
        return [model.embed(image) for model in self.models]


@torch.no_grad()
def pooled(nets: Nets, rows) -> np.ndarray:
    """The pooled vectors of the photos, [photos, 1280 × nets]; every second one augmented, half of those on a floor."""
    out = []
    for start in range(0, len(rows), 32):
        looks = []
        for number, (path, _, _) in enumerate(rows[start : start + 32]):
            with Image.open(path) as file:
                image = file.convert("RGB")
            if number % 2:
                image = image.resize((300, round(300 * image.height / image.width)), Image.BILINEAR)
                looks.append(normalise(augment(image, random.Random(start + number), 0.5, INPUT)))
            else:
                looks.append(as_input(image))
        inputs = torch.from_numpy(np.stack(looks)).contiguous(memory_format=torch.channels_last)
        out.append(torch.cat(nets.embed(inputs), dim=1).numpy())
    return np.concatenate(out)


def metric(vectors: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(mean [width], projection [width, dimensions]) of the discriminant analysis."""
    mean = vectors.mean(axis=0)
    centred = vectors - mean
    classes = sorted(set(labels))
    centres = np.stack([centred[labels == c].mean(axis=0) for c in classes])
    index = {c: i for i, c in enumerate(classes)}
    within = centred - centres[[index[c] for c in labels]]
    width = vectors.shape[1]
    spread = within.T @ within / len(within)
    spread = (1 - SHRINK) * spread + SHRINK * np.trace(spread) / width * np.eye(width)
    values, axes = np.linalg.eigh(spread)
    whiten = axes / np.sqrt(values)
    _, _, directions = np.linalg.svd(centres @ whiten, full_matrices=False)
    # One fewer than classes carry anything: the last one is their mean.
    return mean, whiten @ directions[: min(DIMENSIONS, len(classes) - 1)].T


class Exported(nn.Module):
    """What is shipped: the metric embedding and the fine logits."""

    def __init__(self, nets: Nets, taught: list[int], mean: np.ndarray, projection: np.ndarray) -> None:
        super().__init__()
        self.nets = nets
        self.taught = taught
        self.metric = nn.Linear(*projection.shape)
        with torch.no_grad():
            self.metric.weight.copy_(torch.from_numpy(projection.T.copy()))
            self.metric.bias.copy_(torch.from_numpy(-mean @ projection))

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        vectors = self.nets.embed(image)
        # The heads' mean is one matrix; it is folded so that the graph holds one product a net.
        share = 1.0 / len(vectors)
        logits = [
            nn.functional.linear(v, share * m.fine.weight[self.taught], share * m.fine.bias[self.taught])
            for v, m in zip(vectors, self.nets.models)
        ]
        return self.metric(torch.cat(vectors, dim=1)), sum(logits[1:], logits[0])


def parser() -> argparse.ArgumentParser:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--run", action="append", required=True, help="a folder train.py wrote; once a net")
    p.add_argument("--root", required=True, help="folder with classes.csv, the lists and the photos")
    p.add_argument("--list", default="train.txt", help="the photos the metric is made from: those trained on")
    p.add_argument("--without", help="the same file that train.py was given")
    p.add_argument("--every", type=int, default=1, help="make the metric from one photo in so many: quicker, coarser")
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--out", required=True)
    return p


def export(args: argparse.Namespace) -> None:
    """Writes the graph and, beside it, what it is about."""
    torch.set_num_threads(args.threads)
    models, states = zip(*[load_run(run) for run in args.run])
    classes = states[0]["classes"]
    nets = Nets(list(models)).eval().to(memory_format=torch.channels_last)

    rows = [row for name in args.list.split(",") for row in read_list(Path(args.root), name)]
    left_out: set[int] = set()
    if args.without:
        left_out = {int(line.split(",")[0]) for line in Path(args.without).read_text().split()}
        rows = [row for row in rows if row[1] not in left_out]
    taught = [c["id"] for c in classes if c["id"] not in left_out]
    rows = rows[:: args.every]
    vectors = pooled(nets, rows).astype(np.float64)
    mean, projection = metric(vectors, np.array([fine for _, fine, _ in rows]))

    shipped = Exported(nets, taught, mean, projection).eval()
    # PyTorch 1.13 has one exporter and no name for it; later ones must be told which.
    which = {"dynamo": False} if "dynamo" in inspect.signature(torch.onnx.export).parameters else {}
    torch.onnx.export(
        shipped, (torch.zeros(1, 3, INPUT, INPUT),), args.out, opset_version=17, **which,
        input_names=["image"], output_names=["embedding", "logits"],
        dynamic_axes={"image": {0: "n"}, "embedding": {0: "n"}, "logits": {0: "n"}},
    )
    about = {
        "input": [3, INPUT, INPUT], "embedding": projection.shape[1], "classes": [classes[c] for c in taught],
        "epochs": [state["epoch"] + 1 for state in states],
    }
    Path(args.out).with_suffix(".json").write_text(json.dumps(about, indent=1))
    print(f"{args.out}: embedding {projection.shape[1]}, {len(taught)} classes, epochs {about['epochs']}")


if __name__ == "__main__":
    export(parser().parse_args())
