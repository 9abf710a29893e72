"""Top-k training (Sinha et al. 2020, arXiv 2002.06224)."""

import torch

from gankit import Trick


class TopK(Trick):
    """G learns only from the k fakes of a batch with the highest logits.

    Fakes far from any real picture get gradients that do not help. As D learns to judge, k falls
    from the whole batch to a share of it. It helps late in training; where G already makes few
    kinds of pictures (mode collapse), it may make them fewer still.

    The paper takes k = max(0.99^epoch, 1/2) * batch, which reaches 1/2 after 69 epochs. A trick
    does not know epochs, so here k falls by the same curve over a share of the run.

    floor: the smallest share of the batch that G learns from.
    until: the share of the run, from 0 to 1, after which `floor` is reached.
    """

    def __init__(self, floor: float = 0.5, until: float = 1.0) -> None:
        if not 0 < floor <= 1 or not 0 < until <= 1:
            raise ValueError("floor and until must be more than 0 and at most 1")
        self.floor = floor
        self.until = until
        self.kept: tuple[int, int] | None = None  # k, and the N it was chosen from

    def logits(self, logits, gan, player, is_real):
        """In G's update, the gradient passes through k of the N logits, N / k times as strong.

        The loss is a mean over N, so its gradient becomes that of a mean over the k. The logits'
        values do not change, so the log still shows the loss of all fakes.
        """
        if player is gan.D or is_real:
            return logits
        share = self.floor ** min(1.0, gan.progress / self.until)
        k = max(1, int(share * len(logits)))
        if k == len(logits):
            return logits
        self.kept = (k, len(logits))
        values = logits.detach()
        best = values.topk(k).indices
        weights = torch.zeros_like(values).index_fill(0, best, len(logits) / k)
        # The second term is 0, and only it has a gradient.
        return values + weights * (logits - values)

    def activity(self):
        kept = self.kept
        self.kept = None
        if not kept:
            return None
        return {"kept": kept[0], "text": f"G learnt from {kept[0]} of {kept[1]} fakes"}
