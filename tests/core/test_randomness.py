"""Draws from distributions: a function of the generator, and of the right distribution."""

import pytest
import torch
from scipy import stats

from gankit.core.randomness import beta, dirichlet, gamma, generator

DRAWS = {
    "beta": (lambda g, n: beta(g, 0.4, 2, (n,)), stats.beta(0.4, 2)),
    "a narrow beta": (lambda g, n: beta(g, 0.3, 0.3, (n,)), stats.beta(0.3, 0.3)),
    "gamma": (lambda g, n: gamma(g, 3, (n,), scale=0.5), stats.gamma(3, scale=0.5)),
    "dirichlet": (lambda g, n: dirichlet(g, (1, 2, 4), (n,))[:, 1], stats.beta(2, 5)),
}


def test_wrong_arguments_of_a_draw_are_named():
    with pytest.raises(ValueError, match=r"shape is 16.*\(16,\)"):
        beta(generator(0, 0, "lam"), 1, 1, 16)
    with pytest.raises(ValueError, match=r"'lam'.*gan\.draw"):
        beta("lam", 1, 1, (16,))


@pytest.mark.parametrize("name", DRAWS)
def test_draws_have_their_distribution(name):
    draw, distribution = DRAWS[name]
    values = draw(generator(0, 0, name), 5000)
    assert values.dtype == torch.float32
    assert stats.kstest(values.numpy(), distribution.cdf).pvalue > 0.001


@pytest.mark.parametrize("name", DRAWS)
def test_draws_depend_on_the_generator_only(name):
    draw, _ = DRAWS[name]
    before = torch.get_rng_state()
    first = draw(generator(0, 1, name), 5)
    torch.manual_seed(12345)
    assert torch.equal(first, draw(generator(0, 1, name), 5))
    assert not torch.equal(first, draw(generator(0, 2, name), 5))
    torch.set_rng_state(before)
    draw(generator(0, 1, name), 5)
    assert torch.equal(torch.get_rng_state(), before)


def test_shapes():
    draws = generator(0, 0, "shapes")
    assert beta(draws, 1, 1, (3, 1, 1, 1)).shape == (3, 1, 1, 1)
    assert gamma(draws, 1, ()).shape == ()
    assert dirichlet(draws, [1, 1, 1], (2, 4)).shape == (2, 4, 3)
    assert torch.allclose(dirichlet(draws, [1, 5], (9,)).sum(1), torch.ones(9))


@pytest.mark.parametrize(
    ("draw", "fact"),
    [
        (lambda g: beta(g, 0, 1, (1,)), "a is 0"),
        (lambda g: beta(g, 1, -2, (1,)), "b is -2"),
        (lambda g: gamma(g, float("nan"), (1,)), "k is nan"),
        (lambda g: gamma(g, 1, (1,), scale=0), "scale is 0"),
        (lambda g: dirichlet(g, (1, 0), (1,)), "weights[1] is 0"),
    ],
)
def test_parameters_must_be_positive(draw, fact):
    with pytest.raises(ValueError, match="above 0") as error:
        draw(generator(0, 0, "bad"))
    assert fact in str(error.value)
