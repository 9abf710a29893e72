"""Batches in which each class is equally often."""

import numpy as np
import torch

from gankit.core.process_group import ProcessGroup
from gankit.data.balance import BalancedRows
from gankit.data.batches import Batches

LABELS = np.repeat([0, 1, 2], [90, 7, 3])
ROWS = np.arange(100)


def test_every_round_has_one_picture_of_each_class():
    rows = BalancedRows(ROWS, LABELS, seed=1)
    labels = LABELS[rows[range(300)]].reshape(100, 3)
    assert np.array_equal(np.sort(labels, axis=1), np.tile([0, 1, 2], (100, 1)))
    assert len({tuple(row) for row in labels}) > 1  # in random order


def test_a_small_class_comes_again_when_all_of_it_was_shown():
    rows = BalancedRows(ROWS, LABELS, seed=1)[range(63)]
    small = rows[LABELS[rows] == 1]
    assert all(set(small[start : start + 7]) == set(range(90, 97)) for start in (0, 7, 14))


def test_any_position_can_be_read_at_once():
    in_order = BalancedRows(ROWS, LABELS, seed=2)
    batches = [in_order[range(start, start + 8)] for start in range(0, 160, 8)]
    assert np.array_equal(np.concatenate(batches), in_order[range(160)])
    for number in (19, 3, 11):
        fresh = BalancedRows(ROWS, LABELS, seed=2)
        assert np.array_equal(fresh[range(8 * number, 8 * number + 8)], batches[number])
    assert not np.array_equal(BalancedRows(ROWS, LABELS, seed=3)[range(8)], batches[0])


def pixels():
    """Pictures whose first value is their row."""
    values = np.zeros((100, 4, 4, 3), np.uint8)
    values[:, 0, 0, 0] = ROWS
    return values


def rows_in(batch):
    return ((batch[:, 0, 0, 0] + 1) * 127.5).round().long()


def test_labels_are_those_of_the_pictures_balanced_or_not():
    for balance in (False, True):
        batches = Batches(pixels(), 10, 1, labels=LABELS, balance=balance, rows=ROWS[::-1].copy())
        for number in (0, 9, 23):
            assert batches.labels_of(number).tolist() == LABELS[rows_in(batches[number])].tolist()


def test_processes_share_the_rows_of_a_balanced_batch():
    whole = Batches(pixels(), 12, 1, labels=LABELS, balance=True)
    parts = [
        Batches(pixels(), 12, 1, labels=LABELS, balance=True, share=ProcessGroup(rank, 2).share)
        for rank in (0, 1)
    ]
    assert torch.equal(torch.cat([part[5] for part in parts]), whole[5])
    assert torch.equal(torch.cat([part.labels_of(5) for part in parts]), whole.labels_of(5))


def test_balance_changes_nothing_unless_it_is_asked_for():
    plain = Batches(pixels(), 10, 1)
    labelled = Batches(pixels(), 10, 1, labels=LABELS)
    assert all(torch.equal(plain[number], labelled[number]) for number in (0, 9, 10))
