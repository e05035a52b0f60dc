"""What an HTTP request came from."""

import re

from starlette.requests import Request

from server.limits.connections import address_of

LONGEST_NAME = 24

# The first that is found: most browsers also claim to be others.
BROWSERS = {
    "Edg": "Edge",
    "OPR": "Opera",
    "SamsungBrowser": "Samsung Internet",
    "coc_coc_browser": "Cốc Cốc",
    "Zalo": "Zalo",
    "Firefox": "Firefox",
    "FxiOS": "Firefox",
    "CriOS": "Chrome",
    "Chrome": "Chrome",
    "Safari": "Safari",
}
SYSTEMS = {
    "Android": "Android",
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Windows": "Windows",
    "CrOS": "ChromeOS",
    "Mac OS X": "Mac",
    "Linux": "Linux",
}
PROGRAM = re.compile(r"[A-Za-z][A-Za-z0-9._ -]*")


class HttpClient:
    """The client of one request, as `resolvers.context.Client`."""

    def __init__(self, request: Request) -> None:
        self._request = request

    @property
    def address(self) -> str:
        return address_of(self._request.scope["client"])

    @property
    def device(self) -> str | None:
        return device_of(self._request.headers.get("user-agent", ""))

    async def left(self) -> None:
        while (await self._request.receive())["type"] != "http.disconnect":
            pass  # the rest of a body that nobody reads


def device_of(user_agent: str) -> str | None:
    """What its owner recognises a device by, in at most 50 letters; None where nothing is said.

    Made of our own words but for the name of a program, so it carries nothing else into a page.
    """
    system = _found(SYSTEMS, user_agent)
    browser = _found(BROWSERS, user_agent)
    if browser is None and (program := PROGRAM.match(user_agent)) and program[0] != "Mozilla":
        browser = program[0][:LONGEST_NAME].strip()
    return ", ".join(name for name in (browser, system) if name) or None


def _found(names: dict[str, str], user_agent: str) -> str | None:
    return next((shown for mark, shown in names.items() if mark in user_agent), None)
