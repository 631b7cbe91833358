"""Open a report in headless Chromium: ``python .ci/open_report.py REPORT.html``.

Fails on a console error, a script error or any request beyond the file itself.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from playwright.sync_api import ConsoleMessage, sync_playwright

QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def faults_of(report: Path, chromium: str) -> list[str]:
    """Return what went wrong while the report loaded, one line each."""
    address = report.resolve().as_uri()
    faults: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=QUIET)
        page = browser.new_context(offline=True).new_page()
        errors: list[ConsoleMessage] = []
        page.on("console", lambda message: errors.append(message) if message.type == "error" else None)
        page.on("pageerror", lambda error: faults.append(str(error)))
        requests: list[str] = []
        page.on("request", lambda request: requests.append(request.url))
        page.goto(address, wait_until="load")
        page.wait_for_timeout(500)
        if not page.title() or page.locator("h1").count() != 1:
            faults.append("the page has no title, or not one first-level heading")
        if page.locator("svg:visible, img:visible, canvas:visible").count() < 2:
            faults.append("the page shows fewer than two pictures")
        browser.close()
    faults += [f"console: {message.text}" for message in errors]
    faults += [f"request: {url[:200]}" for url in requests if not ours(url, address)]
    return faults


def ours(url: str, address: str) -> bool:
    """Tell whether a request is for the report itself or for data inside it."""
    return url.split("#")[0] == address or url.startswith(("data:", "blob:"))


def main() -> None:
    """Open the report named on the command line; exit 1 with the faults if there are any."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        sys.exit("open_report: no chromium found")
    report = Path(sys.argv[1])
    faults = faults_of(report, chromium)
    if faults:
        sys.exit("\n".join([f"open_report: {report.name} has {len(faults)} faults", *faults]))
    print(f"open_report: {report.name} opens offline, with no error and no request")


if __name__ == "__main__":
    main()
