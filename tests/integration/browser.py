"""Debian's chromium without a window, driven by Selenium, with a profile of its own and no network but what a page asks for."""

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

__all__ = ["CHROMIUM", "DRIVER", "browser", "ready"]

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")

_FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--hide-scrollbars", "--force-device-scale-factor=1",
)  # fmt: skip


@contextlib.contextmanager
def browser(downloads: Path, width: int = 1440, height: int = 900) -> Iterator:
    """A browser whose downloads go to a folder; what its pages complain of is in ``get_log("browser")``."""
    from selenium import webdriver

    with tempfile.TemporaryDirectory() as profile:
        options = webdriver.ChromeOptions()
        options.binary_location = CHROMIUM
        for flag in (*_FLAGS, f"--user-data-dir={profile}", f"--window-size={width},{height}"):
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        options.add_experimental_option("prefs", {"download.default_directory": str(downloads)})
        driver = webdriver.Chrome(options, webdriver.ChromeService(DRIVER))
        try:
            driver.set_page_load_timeout(60)
            yield driver
        finally:
            driver.quit()


def ready(driver, address: str, seconds: float = 40.0) -> None:
    """Open a page and wait until it has drawn itself."""
    from selenium.webdriver.support.wait import WebDriverWait

    driver.get(address)
    WebDriverWait(driver, seconds, 0.05).until(
        lambda d: d.execute_script("return document.body.dataset.ready") == "yes"
    )
