"""Photos and their lists: reading, caching, augmentation, and the one way a photo becomes input.

A list file has lines `path, fine label, coarse label`; `classes.csv` beside it names the classes.
"""

from __future__ import annotations

import csv
import math
import random
from pathlib import Path

import numpy as np
from PIL import Image

# Pixels along each side of what the shipped model is given. Training looks are smaller: a random crop
# shows a thing larger than a whole photo does, and this evens it out (Touvron et al., FixRes, 2019).
INPUT = 224


def read_list(root: Path, name: str) -> list[tuple[Path, int, int]]:
    """The lines of a list file as (path, fine, coarse)."""
    rows = []
    for number, line in enumerate((root / name).read_text().splitlines(), 1):
        if not line.strip():
            continue
        parts = [part.strip() for part in line.split(",")]
        if len(parts) != 3:
            raise SystemExit(f"{root / name}:{number}: expected `path, fine, coarse`, found {line!r}")
        rows.append((root / parts[0], int(parts[1]), int(parts[2])))
    return rows


def read_classes(root: Path) -> list[dict]:
    """The classes in order: name, sku (the name in lower case), fine and coarse id."""
    with open(root / "classes.csv", newline="") as file:
        rows = list(csv.reader(file))[1:]
    classes = [
        {"name": r[0], "sku": r[0].lower(), "coarse_name": r[2], "coarse": int(r[3]), "id": int(r[1])}
        for r in rows
    ]
    if [c["id"] for c in classes] != list(range(len(classes))):
        raise SystemExit(f"{root / 'classes.csv'}: class ids must run from 0 without a gap")
    return classes


def square(image: Image.Image) -> Image.Image:
    """The centred square: what a camera's crop already is."""
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    return image.crop((left, top, left + side, top + side))


def small(image: Image.Image, side: int = INPUT) -> np.ndarray:
    """The centred square at the size of the input, [side, side, 3] u8."""
    return np.asarray(square(image.convert("RGB")).resize((side, side), Image.BILINEAR))


def as_input(image: Image.Image, side: int = INPUT) -> np.ndarray:
    """[3, side, side] f32, RGB, -1..1. The Rust embedder does the very same."""
    return normalise(small(image, side))


def normalise(rgb: np.ndarray) -> np.ndarray:
    """HWC u8 to CHW f32 in -1..1."""
    return np.ascontiguousarray(rgb.transpose(2, 0, 1), dtype=np.float32) / 127.5 - 1.0


def load_all(rows: list[tuple[Path, int, int]], side: int = 300) -> list[Image.Image]:
    """Every photo decoded once, its short side brought to `side` pixels: about 0.3 MB each."""
    images = []
    for i, (path, _, _) in enumerate(rows):
        with Image.open(path) as file:
            image = file.convert("RGB")
        scale = side / min(image.size)
        size = (round(image.width * scale), round(image.height * scale))
        images.append(image.resize(size, Image.BILINEAR))
        if (i + 1) % 500 == 0:
            print(f"  {i + 1} of {len(rows)} photos read", flush=True)
    return images


def floor(size: int, rng: random.Random, noise: np.random.Generator) -> np.ndarray:
    """A made-up basket floor: a tone with a slope of light, wires or not, noise. [size, size, 3] f32."""
    grey = rng.uniform(20, 235)
    tone = np.array([grey + rng.uniform(-18, 18) for _ in range(3)], dtype=np.float32)
    y = np.arange(size, dtype=np.float32)[:, None] / size
    x = np.arange(size, dtype=np.float32)[None, :] / size
    shade = rng.uniform(-40, 40) * x + rng.uniform(-40, 40) * y
    if rng.random() < 0.6:
        angle, pitch, width = rng.uniform(0, math.pi), rng.uniform(0.05, 0.25), rng.uniform(0.05, 0.3)
        for a in (angle, angle + math.pi / 2):
            phase = ((x * math.cos(a) + y * math.sin(a)) / pitch) % 1.0
            shade = shade + np.float32(rng.uniform(-70, 70)) * (phase < width)
    shade = shade + np.float32(rng.uniform(0, 8)) * noise.standard_normal((size, size), dtype=np.float32)
    return shade[..., None] + tone


def augment(image: Image.Image, rng: random.Random, basket: float, size: int) -> np.ndarray:
    """One random look at a photo, [size, size, 3] u8. `basket` is the share laid on a basket floor."""
    noise = np.random.default_rng(rng.getrandbits(32))
    on_floor = rng.random() < basket
    if on_floor:
        # The whole thing is seen, smaller than the crop, off its centre.
        side_x = side_y = min(image.size) / rng.uniform(0.72, 1.05)
        slack = 0.5 * max(side_x - min(image.size), 8)
        cx = image.width / 2 + rng.uniform(-slack, slack)
        cy = image.height / 2 + rng.uniform(-slack, slack)
    else:
        area = image.width * image.height * rng.uniform(0.3, 1.0)
        ratio = math.exp(rng.uniform(-0.29, 0.29))
        side_x = min(math.sqrt(area * ratio), image.width)
        side_y = min(math.sqrt(area / ratio), image.height)
        cx = rng.uniform(side_x / 2, image.width - side_x / 2)
        cy = rng.uniform(side_y / 2, image.height - side_y / 2)
    angle = math.radians(rng.uniform(-25, 25))
    flip = -1.0 if rng.random() < 0.5 else 1.0
    kx, ky = flip * side_x / size, side_y / size
    cos, sin = math.cos(angle), math.sin(angle)
    a, b, d, e = kx * cos, -ky * sin, kx * sin, ky * cos
    half = size / 2
    affine = (a, b, cx - a * half - b * half, d, e, cy - d * half - e * half)
    tone = tuple(rng.randrange(40, 215) for _ in range(3))
    # Shrinking by more than about two would alias; the cached photo is small enough that it never does.
    look = image.transform((size, size), Image.AFFINE, affine, Image.BILINEAR, fillcolor=tone)
    rgb = np.asarray(look, dtype=np.float32)
    if on_floor:
        mask = Image.new("L", image.size, 255).transform((size, size), Image.AFFINE, affine, Image.NEAREST)
        rgb = np.where(np.asarray(mask)[..., None] > 0, rgb, floor(size, rng, noise))
    rgb = light(rgb, rng, noise)
    if rng.random() < 0.25:
        h, w = (int(size * rng.uniform(0.1, 0.4)) for _ in range(2))
        top, left = rng.randrange(size - h), rng.randrange(size - w)
        rgb[top : top + h, left : left + w] = rng.uniform(60, 190)
    return (np.clip(rgb, 0, 255) + np.float32(0.5)).astype(np.uint8)


def light(rgb: np.ndarray, rng: random.Random, noise: np.random.Generator) -> np.ndarray:
    """Brightness, contrast and saturation by up to 30 %, a tint, sometimes smear or noise."""
    # All four are linear in the pixel, so they are one 3 by 3 matrix and an offset.
    bright, contrast, colour = (rng.uniform(0.7, 1.3) for _ in range(3))
    tint = np.diag([rng.uniform(0.95, 1.05) for _ in range(3)])
    mix = (colour * np.eye(3) + (1 - colour) / 3 * np.ones((3, 3))) @ tint * (bright * contrast)
    offset = rgb.mean() * bright * (1 - contrast)
    rgb = rgb @ mix.astype(np.float32) + np.float32(offset)
    draw = rng.random()
    if draw < 0.12:
        # The smear of a thing that moves: a mean along one axis.
        axis, taps = rng.randrange(2), rng.randrange(3, 8)
        rgb = sum(np.roll(rgb, k, axis=axis) for k in range(taps)) / np.float32(taps)
    elif draw < 0.3:
        rgb = rgb + np.float32(rng.uniform(2, 10)) * noise.standard_normal(rgb.shape, dtype=np.float32)
    return rgb
