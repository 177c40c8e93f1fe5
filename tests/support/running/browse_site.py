"""Reads the built documentation in a headless browser, as a newcomer would.

The Python of the documentation's own environment runs this, which has Playwright; it is never
imported. Prints as JSON what was seen, and every URL that was asked for.
"""

from __future__ import annotations

import json
import re
import sys
from typing import Any

from playwright.sync_api import sync_playwright

# A name that is not this machine's is not even looked up.
ALONE = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
WAIT = 30_000


def main(chromium: str, site: str) -> None:
    """Go through the site at the URL `site`, which ends with a slash."""
    with sync_playwright() as playwright:
        # No sandbox: root cannot have one, and the pages are our own.
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-gpu", ALONE]
        )
        context = browser.new_context()
        context.set_default_timeout(WAIT)
        asked: list[str] = []
        wrong: list[str] = []
        context.on("request", lambda request: asked.append(request.url))
        context.on("requestfailed", lambda request: wrong.append(request.url))
        page = context.new_page()
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.goto(site)
        seen = {**first_crossing(page), **search(page), **error(page)}
        browser.close()
    sys.stdout.write(json.dumps({**seen, "asked": asked, "wrong": wrong}))


def first_crossing(page: Any) -> dict[str, Any]:
    """Click from the front page to the tutorial."""
    page.locator("article").get_by_role("link", name="first crossing").click()
    page.wait_for_url("**/tutorial/first-crossing.html")
    return {
        "tutorial": page.locator("article h1").inner_text(),
        "hosts": page.locator("article .filename").all_inner_texts(),
    }


def search(page: Any) -> dict[str, Any]:
    """Type a term into the search field, and follow the result that explains it."""
    page.locator("input.md-search__input").click()
    page.locator("input.md-search__input").press_sequentially("revoked_keys")
    results = page.locator(".md-search-result__item")
    results.first.wait_for()
    titles = page.locator(".md-search-result__item h1").all_inner_texts()
    results.get_by_role("link").filter(has_text="Revoked keys").first.click()
    page.wait_for_url(re.compile("/explanation/trust.html"))
    return {"results": titles, "found": page.locator("article").inner_text()}


def error(page: Any) -> dict[str, Any]:
    """Open the page of errors from the navigation, and read the entry of one."""
    page.locator("nav.md-nav--primary").get_by_role("link", name="Errors").first.click()
    page.wait_for_url("**/reference/errors.html")
    page.locator("article").get_by_role("link", name="6", exact=True).click()
    page.wait_for_url(re.compile("#exit-code-6"))
    heading = page.locator("article h3", has_text="the bundle expired at").first
    heading.scroll_into_view_if_needed()
    return {
        "error": heading.inner_text(),
        "advice": heading.locator("xpath=following-sibling::p[1]").inner_text(),
    }


if __name__ == "__main__":
    main(*sys.argv[1:])
