"""The ResNet backbone and its hand-over from one task to the next.

A plain ResNet, the body under a feature pyramid and a dilated ResNet hold tensors of the same names and
shapes, `conv1` … `layer4` (A.2): a backbone file holds exactly these, whatever the task it comes from.
"""

import json
import re
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torchvision.models import resnet as torchvision_resnet

from syn2real.backbones.schema import ModelName
from syn2real.errors import InputError
from syn2real.files import atomic

BODY = re.compile(r"(conv1|bn1|layer[1-4])\.")


def resnet(
    name: ModelName, *, classes: int = 1, dilated: bool = False, zero_init_residual: bool = False
) -> torchvision_resnet.ResNet:
    """Return torchvision's ResNet of a depth, with random weights.

    Parameters
    ----------
    name : str
        `resnet18` … `resnet152`.
    classes : int
        Outputs of the last layer `fc`.
    dilated : bool
        Dilate the last two stages (output stride 8), as DeepLabV3 wants; see `can_dilate`.
    zero_init_residual : bool
        Start the last batch norm of each block at zero (Goyal et al., 2017).
    """
    return getattr(torchvision_resnet, name)(
        num_classes=classes,
        replace_stride_with_dilation=(False, dilated, dilated),
        zero_init_residual=zero_init_residual,
    )


def can_dilate(name: ModelName) -> bool:
    """Say whether a depth can be dilated: torchvision's BasicBlock (18, 34) refuses dilation."""
    return name not in ("resnet18", "resnet34")


def channels(body: nn.Module, layer: str) -> int:
    """Return the number of channels that a stage (`layer1` … `layer4`) gives out."""
    stage = body.get_submodule(layer)
    return [m.num_features for m in stage.modules() if isinstance(m, nn.BatchNorm2d)][-1]


def backbone_state(body: nn.Module) -> dict[str, Tensor]:
    """Return copies of a backbone's tensors on the CPU, without the classifier's last layer `fc`."""
    state = body.state_dict()
    return {key: value.detach().cpu().clone().contiguous() for key, value in state.items() if BODY.match(key)}


def count_parameters(body: nn.Module) -> int:
    """Return the number of a backbone's weights as built (running statistics are none)."""
    return sum(p.numel() for name, p in body.named_parameters() if BODY.match(name))


def save_backbone(path: str | Path, state: dict[str, Tensor], metadata: dict[str, Any]) -> None:
    """Write what `backbone_state` returned as safetensors, atomically; the same tensors give the same bytes.

    `metadata` is kept as JSON under the one key `syn2real`: safetensors writes several keys in any order.
    """
    with atomic(path) as temporary:
        save_file(state, temporary, metadata={"syn2real": json.dumps(metadata, sort_keys=True)})


def load_backbone(body: nn.Module, path: str | Path) -> None:
    """Load a backbone file into the backbone of any task's model.

    Raises
    ------
    InputError
        The file is no safetensors file, or holds another depth's backbone.
    """
    try:
        state = load_file(path)
    except (OSError, SafetensorError) as error:
        raise InputError(f"no readable safetensors file: {error}", file=path) from None
    own = {key: value for key, value in body.state_dict().items() if BODY.match(key)}
    for key in sorted(own.keys() | state.keys()):
        if key not in state or key not in own or state[key].shape != own[key].shape:
            raise InputError(
                "this tensor does not fit the model; the backbone is of another depth", file=path, key=key
            )
    body.load_state_dict(state, strict=False)
