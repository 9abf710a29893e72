"""The text of `--init`: RUN:STEP@DIGEST, a checkpoint of another run; STEP may be best or last."""

import re
from collections.abc import Callable

from gankit.core.files.portable_path import path_exists

DIGEST_LETTERS = 12  # of the SHA-256 of its networks: enough to tell two checkpoints apart
_INIT = re.compile(r"(.+?)(?::([0-9]{1,12}|best|last))?(?:@([0-9a-f]{12}))?", re.DOTALL)


def split_init(text: str) -> tuple[str, str, str]:
    """The path, the step and the digest of a base; the last two may be missing: "".

    A text that is the path of something is that path alone.
    """
    match = None if path_exists(text) else _INIT.fullmatch(text)
    return (match[1], match[2] or "", match[3] or "") if match else (text, "", "")


def change_path(init: str, change: Callable[[str], str]) -> str:
    """The text with another path to the run; its step and digest stay."""
    path, _, _ = split_init(init)
    return change(path) + init[len(path) :] if init else ""


def is_same_base(init: str, recorded: str) -> bool:
    """Whether a text may mean the checkpoint that was recorded, perhaps at another path."""
    _, *given = split_init(init)
    _, *expected = split_init(recorded)
    pairs = zip(given, expected, strict=True)
    return bool(init) == bool(recorded) and all(a in ("", b) for a, b in pairs)
