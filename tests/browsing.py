"""Pages in a browser that must load nothing and complain about nothing."""

import contextlib


class Page:
    """A page in the browser, with all that it asked for and complained about."""

    def __init__(self, browser, file, address="", **options):
        self.context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}} | options)
        self.tab = self.context.new_page()
        self.complaints = []
        self.requests = []
        self.tab.on("console", lambda message: self.complaints.append(message.text))
        self.tab.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.tab.on("dialog", lambda dialog: self.complaints.append(dialog.message))
        self.tab.on("request", lambda request: self.requests.append(request.url))
        self.tab.goto(file.as_uri() + address)

    def require_silence(self):
        """The page asked for nothing but itself, and did not complain."""
        assert self.complaints == []
        loaded = [url for url in self.requests if not url.startswith(("data:", "blob:"))]
        assert loaded == [self.requests[0]]


@contextlib.contextmanager
def opened_pages(browser, page_class):
    """Gives `open_page(file, "#step=40", **options of the browser's context)`."""
    pages = []

    def call(file, address="", **options):
        pages.append(page_class(browser, file, address, **options))
        return pages[-1]

    yield call
    for page in pages:
        page.context.close()
    for page in pages:
        page.require_silence()
