"""A browser for the tests in this folder: Debian's Chromium, steered by Playwright."""

import os
import shutil

import pytest

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
# Nothing but the page under test may ask the network for anything.
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
QUIET += ["--disable-component-update", "--disable-sync"]


@pytest.fixture(scope="module")
def browser():
    """A headless Chromium. Without one the tests are skipped, saying so; on a CI machine (CI is set) they fail."""
    if not CHROMIUM:
        reason = "no Chromium on this machine: apt-get install chromium, or name one in CHROMIUM"
        pytest.fail(reason, pytrace=False) if os.environ.get("CI") else pytest.skip(reason)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser
        browser.close()
