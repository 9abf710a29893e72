"""Whether a device computes in bf16 or only has instructions that imitate it."""

import timeit

import torch

SIDES = {"cpu": 768, "cuda": 4096}  # of matrices whose product takes some milliseconds


def computes_in_bf16(device: torch.device) -> bool:
    """Whether one matrix product is at least 1.5 times as fast in bf16 as in float32 there.

    It takes a tenth of a second, once a run. False on MPS, where it has not been tried.
    """
    if device.type == "cuda" and not torch.cuda.is_bf16_supported(including_emulation=False):
        return False
    if device.type not in SIDES:
        return False
    side = SIDES[device.type]
    kinds = (torch.float32, torch.bfloat16)
    seconds = dict.fromkeys(kinds, float("inf"))
    for dtype in kinds * 8:  # in turns, so that a busy moment hits both alike
        m = torch.ones(side, side, dtype=dtype, device=device)
        product = "float((m @ m)[0, 0])"  # reading a number waits for a GPU
        taken = timeit.timeit(product, globals={"m": m}, number=1)
        seconds[dtype] = min(seconds[dtype], taken)
    return seconds[torch.float32] > 1.5 * seconds[torch.bfloat16]
