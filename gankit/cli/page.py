"""A page: one HTML file with everything in it, readable anywhere, light and dark."""

from html import escape

STYLE = """
:root { color-scheme: light dark; --back: #f6f5f1; --card: #fff; --ink: #23221f; --dim: #6d6a62;
  --line: #e2dfd6; --bad: #b3261e; --good: #2e7d4f; --note: #9a6700; }
@media (prefers-color-scheme: dark) { :root { --back: #171714; --card: #21211d; --ink: #ebe8e0;
  --dim: #a09c91; --line: #37362f; --bad: #ff8a80; --good: #7fd1a0; --note: #f2b84b; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--back); color: var(--ink); overflow-wrap: anywhere;
  font: 16px/1.5 system-ui, "Segoe UI", Roboto, sans-serif; }
main { max-width: 66rem; margin: 0 auto; padding: 2rem 1rem 4rem; }
h1 { font-size: 1.7rem; line-height: 1.25; margin: 0 0 .3rem; text-wrap: balance; }
h2 { font-size: 1.1rem; margin: 2.2rem 0 .6rem; } h3 { font-size: 1rem; margin: 1rem 0 .4rem; }
p { margin: .3rem 0; } .dim, figcaption { color: var(--dim); font-size: .85rem; }
code { font: .9em ui-monospace, Consolas, monospace; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: .6rem;
  padding: .8rem 1rem; }
figure { margin: 0; } img, svg { display: block; width: 100%; } svg { height: auto; }
svg text { fill: var(--dim); font-size: 12px; } summary { cursor: pointer; }
@media (max-width: 40rem) { main { padding-top: 1.2rem; } h1 { font-size: 1.35rem; } }
"""


def page(title: str, body: str, style: str = "") -> str:
    """The text of a page with this title; `body` is HTML, `style` CSS on top of the house's."""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}{style}</style></head>"
        f"<body><main>{body}</main></body></html>\n"
    )
