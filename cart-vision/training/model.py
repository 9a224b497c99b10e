"""EfficientNet-Lite in plain torch, with the heads that Trundle trains.

The layer names are those of the published ImageNet weights, so that these load as they are.
Input: [N, 3, side, side] f32, RGB, -1..1, any side that is a multiple of 32. Outputs: the pooled
embedding [N, 1280] f32 (zero and above, not normalised), fine logits [N, fine] and coarse logits
[N, coarse].

Source: Tan and Le, EfficientNet (ICML 2019); the Lite variants drop squeeze-and-excitation, use
ReLU6 and keep stem and head at their plain width.
"""

from __future__ import annotations

import math
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

EMBEDDING = 1280

# kernel, stride of the first block, expansion, channels out, repeats
STAGES = [
    (3, 1, 1, 16, 1),
    (3, 2, 6, 24, 2),
    (5, 2, 6, 40, 2),
    (3, 2, 6, 80, 3),
    (5, 1, 6, 112, 3),
    (5, 2, 6, 192, 4),
    (3, 1, 6, 320, 1),
]
# width and depth against Lite0
NETS = {"lite0": (1.0, 1.0), "lite2": (1.1, 1.2)}
# The stages that stay as ImageNet left them: edges and textures serve groceries as well.
FROZEN_STAGES = 3
# The published weights were trained with this epsilon.
BN_EPS = 1e-3


class SameConv(nn.Conv2d):
    """A convolution padded as TensorFlow's SAME: the odd pixel goes to the right and bottom."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        kernel, stride = self.kernel_size[0], self.stride[0]
        if stride == 1:
            return F.conv2d(x, self.weight, self.bias, 1, kernel // 2, 1, self.groups)
        side = int(x.shape[-1])
        total = max((-(-side // stride) - 1) * stride + kernel - side, 0)
        before = total // 2
        x = F.pad(x, [before, total - before, before, total - before])
        return F.conv2d(x, self.weight, self.bias, stride, 0, 1, self.groups)


class Block(nn.Module):
    """An inverted residual: widen, filter each channel, narrow."""

    def __init__(self, cin: int, cout: int, kernel: int, stride: int, expand: int) -> None:
        super().__init__()
        mid = cin * expand
        self.skip = stride == 1 and cin == cout
        self.expand = expand != 1
        if self.expand:
            self._expand_conv = nn.Conv2d(cin, mid, 1, bias=False)
            self._bn0 = nn.BatchNorm2d(mid, eps=BN_EPS)
        self._depthwise_conv = SameConv(mid, mid, kernel, stride, groups=mid, bias=False)
        self._bn1 = nn.BatchNorm2d(mid, eps=BN_EPS)
        self._project_conv = nn.Conv2d(mid, cout, 1, bias=False)
        self._bn2 = nn.BatchNorm2d(cout, eps=BN_EPS)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = x
        if self.expand:
            y = F.relu6(self._bn0(self._expand_conv(y)))
        y = F.relu6(self._bn1(self._depthwise_conv(y)))
        y = self._bn2(self._project_conv(y))
        return x + y if self.skip else y


def eight(channels: float) -> int:
    """The multiple of eight that the published nets round a width to."""
    rounded = max(8, int(channels + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * channels else rounded


class Lite(nn.Module):
    """The backbone and two linear heads on one embedding."""

    def __init__(self, net: str, fine: int, coarse: int, dropout: float = 0.2) -> None:
        super().__init__()
        width, depth = NETS[net]
        self._conv_stem = SameConv(3, 32, 3, 2, bias=False)
        self._bn0 = nn.BatchNorm2d(32, eps=BN_EPS)
        blocks, cin, self.frozen_blocks = [], 32, 0
        for number, (kernel, stride, expand, channels, repeats) in enumerate(STAGES):
            cout = eight(channels * width)
            if 0 < number < len(STAGES) - 1:
                repeats = math.ceil(repeats * depth)
            for i in range(repeats):
                blocks.append(Block(cin, cout, kernel, stride if i == 0 else 1, expand))
                cin = cout
            if number < FROZEN_STAGES:
                self.frozen_blocks += repeats
        self._blocks = nn.ModuleList(blocks)
        self._conv_head = nn.Conv2d(cin, EMBEDDING, 1, bias=False)
        self._bn1 = nn.BatchNorm2d(EMBEDDING, eps=BN_EPS)
        self.dropout = nn.Dropout(dropout)
        self.fine = nn.Linear(EMBEDDING, fine)
        self.coarse = nn.Linear(EMBEDDING, coarse)
        for module in [self._conv_stem, self._bn0, *blocks[: self.frozen_blocks]]:
            for parameter in module.parameters():
                parameter.requires_grad_(False)

    def train(self, mode: bool = True) -> "Lite":
        """Batch-norm statistics stay those of ImageNet: a batch of 32 is too few to renew them."""
        super().train(mode)
        for module in self.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eval()
        return self

    def embed(self, x: torch.Tensor) -> torch.Tensor:
        """The pooled embedding, [N, 1280]."""
        # The stages that stay fixed run without a gradient.
        with torch.set_grad_enabled(False):
            x = F.relu6(self._bn0(self._conv_stem(x)))
            for block in self._blocks[: self.frozen_blocks]:
                x = block(x)
        for block in self._blocks[self.frozen_blocks :]:
            x = block(x)
        x = F.relu6(self._bn1(self._conv_head(x)))
        return x.mean(dim=(2, 3))

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        embedding = self.embed(x)
        dropped = self.dropout(embedding)
        return embedding, self.fine(dropped), self.coarse(dropped)


def load_imagenet(model: Lite, path: str) -> None:
    """Loads the published weights; only their 1000-class head is left out."""
    state = {k: v for k, v in torch.load(path, map_location="cpu").items() if not k.startswith("_fc.")}
    missing, unexpected = model.load_state_dict(state, strict=False)
    wrong = [k for k in missing if not k.startswith(("fine.", "coarse."))] + list(unexpected)
    if wrong:
        raise SystemExit(f"{path} are not the weights of this EfficientNet-Lite: {wrong[:5]}")


def load_run(run: str | Path) -> tuple[Lite, dict]:
    """What a folder of train.py holds: the net with its mean weights, and all that was kept beside it."""
    state = torch.load(Path(run) / "last.pt", map_location="cpu")
    model = Lite(state["args"]["net"], len(state["classes"]), state["coarse"])
    model.load_state_dict(state["mean"])
    return model, state
