"""`gankit sample --show`: pictures in the terminal."""

from __future__ import annotations

import logging
import sys

from rich.text import Text

from gankit.cli.terminal.half_blocks import HalfBlocks, can_draw, choose_layout
from gankit.cli.terminal.live_terminal import shows_live_view
from gankit.cli.terminal.rich_console import output_console
from gankit.core.run.image_size import ImageSize
from gankit.runs.images import Frames

log = logging.getLogger("gankit")
LINES_LEFT = 3  # of the terminal: for the line below the pictures, the path and the prompt


def show_pictures(frames: Frames, count: int) -> None:
    """Draw the first of `count` pictures, of which `frames` has as many as can be shown.

    Where this is impossible, a message says so.
    """
    console = output_console()
    height, width = frames.shape[1:3]
    size = ImageSize(width, height)
    layout = choose_layout(len(frames), size, console.width, console.height - LINES_LEFT)
    if not (layout and shows_live_view(sys.stdout) and can_draw(console)):
        log.info(
            "--show draws only in a terminal with colours and room for a picture: open the file"
        )
        return
    console.print(HalfBlocks(frames, layout, console))
    num_shown = layout.columns * layout.rows
    if num_shown < count:
        console.print(Text(f"the first {num_shown} of {count} pictures", style="dim"))
