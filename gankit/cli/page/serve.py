"""Serve a page to the user's browser until Ctrl-C."""

from __future__ import annotations

import logging
import sys
import webbrowser

import click

from gankit.cli.page.loopback import HOST, Answer, LoopbackServer
from gankit.cli.terminal.live_terminal import has_windows, is_terminal
from gankit.core.printable import printable

log = logging.getLogger("gankit")


def serve(
    answer: Answer, what: str, *, port: int = 0, host: str = HOST, opens: bool = True
) -> None:
    """Serve a page until Ctrl-C; print its address, and open it in the user's browser.

    `what` begins the line with the address. GankitError as of LoopbackServer.
    """
    server = LoopbackServer(answer, port, host)
    if not server.is_loopback:
        log.warning(
            "with --host %s, other computers in your network can open this page too, if they know "
            "its address; do not do this in a network that you do not trust",
            host,
        )
    click.echo(printable(f"{what} at {server.address} (Ctrl-C stops it)"))
    if opens:
        open_in_browser(server.address)
    server.serve_until_interrupted()
    after_key = "\n" if is_terminal(sys.stdout) else ""  # below the ^C that a terminal shows
    click.echo(f"{after_key}stopped: the page in your browser keeps what it shows")


def open_in_browser(address: str) -> None:
    """Show an address in the user's browser, if this computer has a screen."""
    if has_windows():
        webbrowser.open(address)
