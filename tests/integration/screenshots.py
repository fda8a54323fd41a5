"""Pictures of the inspection pages, and figures, for README and docs: python screenshots.py RESULTS FIELD FOLDER."""

import io
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from browser import browser, ready
from clumpscope.flags import bit
from clumpscope.tables import read_table
from PIL import Image
from selenium.webdriver.common.action_chains import ActionChains

LARGEST_BYTES = 150_000
# Those of docs/validation/figures.md, by field.
FIGURES = {
    "mock_cluster": ("truth_recovery", "coverage", "completeness"),
    "smacs0723_clusters": ("f22_comparison", "ssp_map"),
}


def keep_figures(results: Path, target: Path) -> None:
    """Keep figures with as many colours as they need."""
    for field, names in FIGURES.items():
        for name in names:
            image = Image.open(results / field / "figures" / f"{name}.png").convert("RGB")
            small = image.quantize(128, dither=Image.Dither.NONE)
            small.save(target / f"validation_{name}.png", optimize=True)


def main(field: Path, target: Path) -> None:
    """Open every view, and keep it as a JPEG."""
    pages = field.resolve() / "inspect"
    catalogue = read_table(field / "catalogue.ecsv")
    # One with many clumps, all of them good.
    good = catalogue[(catalogue["flags"] & ~bit("blended", "unresolved")) == 0]
    galaxy = Counter(map(str, good["galaxy"])).most_common(1)[0][0]
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as downloads, browser(Path(downloads), 1440, 1000) as driver:

        def keep(name: str, page: str, *keys: str, seconds: float = 1.0) -> None:
            ready(driver, (pages / page).as_uri())
            ActionChains(driver).send_keys(*keys).perform()
            time.sleep(seconds)
            image = Image.open(io.BytesIO(driver.get_screenshot_as_png())).convert("RGB")
            for quality, width in (
                (85, image.width),
                (75, image.width),
                (80, min(image.width, 1150)),
                (70, min(image.width, 1100)),
            ):
                path = target / f"inspection_{name}.jpg"
                small = image.resize((width, image.height * width // image.width), Image.Resampling.LANCZOS)
                small.save(path, quality=quality, optimize=True)
                if path.stat().st_size < LARGEST_BYTES:
                    break

        keep("index", "index.html")
        keep("galaxy", f"{galaxy}.html", "+", "+", "+", "j")
        keep("residual", f"{galaxy}.html", "3", *"fffff", "+", "+", "+", "j")
        keep("catalogue", "catalogue.html", *"jjj")
        driver.set_window_size(500, 1000)
        keep("phone", f"{galaxy}.html", "j")


if __name__ == "__main__":
    results, name, folder = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
    keep_figures(results, folder)
    main(results / name, folder)
