"""The explorer in a browser, for tests."""

import numpy as np
from browsing import Page

PIXELS = """() => {
    const picture = document.getElementById("picture");
    const canvas = new OffscreenCanvas(picture.width, picture.height);
    const context = canvas.getContext("2d", { willReadFrequently: true });
    context.drawImage(picture, 0, 0);
    return [...context.getImageData(0, 0, canvas.width, canvas.height).data];
}"""
SIGN = "() => document.getElementById('picture').toDataURL()"
CHANGED = f"(before) => ({SIGN})() !== before"


class ExplorePage(Page):
    """The explorer in a browser."""

    def begin(self):
        self.tab.wait_for_selector("html[data-first]")
        return self

    def picture(self):
        """Pixels uint8 (H, W, 3) of the big picture."""
        pixels = np.array(self.tab.evaluate(PIXELS), np.uint8)
        side = int(np.sqrt(len(pixels) // 4))
        return pixels.reshape(side, side, 4)[..., :3]

    def changes(self, act, *args):
        """Do something, and wait until the big picture is another."""
        before = self.tab.evaluate(SIGN)
        act(*args)
        self.tab.wait_for_function(CHANGED, arg=before)

    def settle(self):
        """Wait until the big picture stays as it is."""
        before = None
        now = self.tab.evaluate(SIGN)
        while now != before:
            self.tab.wait_for_timeout(60)
            before = now
            now = self.tab.evaluate(SIGN)

    def tool(self, name):
        self.tab.click(f"[data-tool={name}]")
        return self

    def set_range(self, selector, value):
        script = "(e, v) => { e.value = v; e.dispatchEvent(new Event('input')); }"
        self.tab.locator(selector).evaluate(script, value)

    def download(self, selector):
        with self.tab.expect_download() as download:
            self.tab.click(selector)
        return download.value
