"""Top-k training (Sinha et al. 2020, arXiv 2002.06224)."""

from gankit import Trick


class TopK(Trick):
    """G learns only from the k fakes of a batch that D likes best.

    Fakes far from any real picture get gradients that lead nowhere good. As D learns to judge, k
    falls from the whole batch to a share of it. Helps late in training; where G already makes few
    kinds of pictures, it may narrow them further.

    The paper takes k = max(0.99^epoch, 1/2) * batch, so the floor comes after 69 epochs. A trick
    does not know epochs; here k falls by the same curve over a part of the run.

    floor: the smallest share of the batch that G learns from.
    until: the part of the run, from 0 to 1, after which it is reached.
    """

    def __init__(self, floor: float = 0.5, until: float = 1.0) -> None:
        if not 0 < floor <= 1 or not 0 < until <= 1:
            raise ValueError("floor and until must be more than 0 and at most 1")
        self.floor, self.until = floor, until
        self.kept = None

    def start(self, gan):
        self.gan = gan
        gan.D.net.register_forward_hook(self._choose)

    def _choose(self, net, inputs, logits):
        """In G's step, where D is frozen: the gradient passes k of the N logits, as N / k of it.

        The loss is a mean over N; so it becomes a mean over the k, and the log shows the former.
        """
        if not logits.requires_grad or any(p.requires_grad for p in net.parameters()):
            return
        share = self.floor ** min(1.0, self.gan.progress / self.until)
        k = max(1, int(share * len(logits)))
        if k == len(logits):
            return
        best = logits.detach().topk(k).indices
        weights = logits.detach().new_zeros(len(logits)).index_fill(0, best, len(logits) / k)
        logits.register_hook(lambda gradient: gradient * weights)
        self.kept = (k, len(logits))

    def activity(self):
        kept, self.kept = self.kept, None
        return f"G learnt from {kept[0]} of {kept[1]} fakes" if kept else None
