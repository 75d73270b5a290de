"""What a page may not do: complain on the browser's console, or ask any host but the hub."""

from dataclasses import dataclass, field

from playwright.sync_api import BrowserContext, ConsoleMessage, Request, WebError

_OF_THE_PAGE_ITSELF = ("data:", "blob:", "about:")


@dataclass
class Watch:
    """Listens to all pages of a browser's context; a violation of the CSP is an error, too."""

    hub: str
    faults: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def over(self, context: BrowserContext) -> None:
        """Begin to listen."""
        context.on("console", self._said)
        context.on("weberror", self._failed)
        context.on("request", self._asked)

    def _said(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            where = message.page.url if message.page else "a page"
            self.faults.append(f"{where}: {message.text} ({message.location['url']})")

    def _failed(self, error: WebError) -> None:
        where = error.page.url if error.page else "a page"
        self.faults.append(f"{where}: {error.error}")

    def _asked(self, request: Request) -> None:
        self.requests.append(request.url)
        if not request.url.startswith((f"{self.hub}/", *_OF_THE_PAGE_ITSELF)):
            self.faults.append(f"asked another host: {request.url}")
