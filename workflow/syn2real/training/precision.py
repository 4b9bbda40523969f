"""In which numbers a device computes, and how fast."""

import torch

from syn2real.errors import InputError


def computed_precision(precision: str, device: torch.device) -> str:
    """Return what a recipe's precision means on a device: `fp32`, `fp16` or `bf16`.

    The paper's "mixed16" (A.1) is bf16 where the hardware has it, which needs no scaling of gradients, and
    fp16 elsewhere. A CPU computes in fp32: half precision saves it nothing.

    Raises
    ------
    InputError
        The recipe insists on bf16, and the GPU has none: nothing else is computed silently.
    """
    if device.type != "cuda":
        return "fp32"
    native = torch.cuda.is_bf16_supported(including_emulation=False)
    if precision == "mixed16":
        return "bf16" if native else "fp16"
    if precision == "bf16" and not native:
        raise InputError(
            "this GPU has no bf16; let the recipe say mixed16, fp16 or fp32", key="precision: bf16"
        )
    return precision


def autocast(device: torch.device, precision: str) -> torch.autocast:
    """Return the context of a precision; single precision leaves everything as it is."""
    dtype = torch.float16 if precision == "fp16" else torch.bfloat16
    return torch.autocast(device.type, dtype=dtype, enabled=precision != "fp32")


def use_tf32(device: torch.device, allowed: bool) -> None:
    """Allow or forbid a GPU to compute products of fp32 numbers in TF32 (10 bits of mantissa, sums in fp32).

    torch by itself forbids it for matrices and allows it for convolutions. A CPU, a GPU without TF32 and
    products in 16 bits are not affected.
    """
    if device.type == "cuda":
        torch.set_float32_matmul_precision("high" if allowed else "highest")
        torch.backends.cudnn.allow_tf32 = allowed


def use_fast_kernels(device: torch.device) -> None:
    """Let cuDNN try its algorithms on the first batch: all training batches are of one shape."""
    if device.type == "cuda":
        torch.backends.cudnn.benchmark = True
