"""The inspection pages in a real browser: looked at, edited by pointer and keys, saved, and measured again with what was saved."""

import threading
import time

import pytest
import yaml
from browser import CHROMIUM, DRIVER, browser, ready
from clumpscope.inputs import read_edits
from clumpscope.inspect.saving import read_rows
from clumpscope.inspect.serving import InspectionServer
from clumpscope.tables import read_table
from unit.inspect.inspected_field import CENTRES, CLUMPS, HOSTILE, cutouts_of, make_pages, place

pytestmark = pytest.mark.skipif(
    not (CHROMIUM and DRIVER), reason="no chromium and chromedriver: `make browser` says how to get them"
)
VIEW = "return JSON.parse(JSON.stringify(clumpscope.viewer.view))"


@pytest.fixture(scope="module")
def driver(tmp_path_factory):
    pytest.importorskip("selenium")
    downloads = tmp_path_factory.mktemp("downloads")
    with browser(downloads) as own:
        own.downloads = downloads
        yield own


@pytest.fixture
def pages(tmp_path, driver):
    """Pages from disk, in a browser that has no edits yet and complains of nothing."""
    make_pages(tmp_path, None)
    ready(driver, (tmp_path / "inspect" / "index.html").as_uri())
    driver.execute_script("localStorage.clear(); sessionStorage.clear()")
    driver.get_log("browser")
    yield tmp_path / "inspect"
    complaints = [entry for entry in driver.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")]
    assert complaints == [] and driver.title != "owned"


def press(driver, *keys):
    from selenium.webdriver.common.action_chains import ActionChains

    ActionChains(driver).send_keys(*keys).perform()


def click(driver, what):
    from selenium.webdriver.common.by import By

    driver.find_element(By.CSS_SELECTOR, what).click()


def until(driver, test, seconds=25.0):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := test():
            return found
        time.sleep(0.03)
    raise AssertionError(
        f"not in {seconds} s; the page says: {driver.execute_script('return document.body.innerText')[:2000]}"
    )


def arrive(driver, galaxy):
    """Wait for the page of a galaxy."""
    of = "return document.body.dataset.ready && document.body.dataset.galaxy"
    until(driver, lambda: driver.execute_script(of) == galaxy)


def table(driver):
    """What would be saved."""
    return driver.execute_script("return clumpscope.edits.rows()")


def listed(driver):
    """Clumps of the page's list and their states."""
    return driver.execute_script(
        "return [...document.querySelectorAll('.list tbody tr')].map((row) => row.innerText.split(/\\s+/)[0] + ' ' + row.className.trim())"
    )


def in_state(driver, state):
    return any(state in row.split() for row in listed(driver))


def point(driver, east, north, galaxy="1", then=None):
    """Bring the pointer to a place of the galaxy, and click it or press a key there."""
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.by import By

    ra, dec = place(CENTRES[galaxy], east, north)
    u, v = driver.execute_script(
        "const c = document.getElementById('view'), b = c.getBoundingClientRect();"
        "const [x, y] = clumpscope.viewer.pixel(arguments[0], arguments[1]);"
        "const [u, v] = clumpscope.viewer.toScreen(c).place(x, y);"
        "return [u * b.width / c.width - b.width / 2, v * b.height / c.height - b.height / 2]",
        ra, dec,
    )  # fmt: skip
    chain = ActionChains(driver, duration=0).move_to_element_with_offset(
        driver.find_element(By.ID, "view"), round(u), round(v)
    )
    (chain.click() if then is None else chain.send_keys(then)).perform()


def pixel(driver, x, y):
    return driver.execute_script(
        f"return [...document.getElementById('view').getContext('2d').getImageData({x}, {y}, 1, 1).data]"
    )


def test_looking(driver, pages):
    ready(driver, (pages / "1.html").as_uri())
    assert driver.execute_script("return document.querySelector('h1').textContent") == "1"
    # Every filter beside the picture in colours, and the magnification.
    assert driver.execute_script(
        "return [...document.querySelectorAll('.tile')].map((t) => t.innerText.trim())"
    ) == ["colour", "F115W", "F150W", "F277W", "μ"]
    shown = lambda: driver.execute_script("return document.body.dataset.shown")  # noqa: E731
    span = driver.execute_script(VIEW)["span"]
    press(driver, "f")
    until(driver, lambda: shown().startswith("F115W data"))
    # Zoom about the middle by keys, about the pointer by the wheel; then all of it again.
    press(driver, "+")
    until(driver, lambda: driver.execute_script(VIEW)["span"] == pytest.approx(span / 1.3))
    driver.execute_script(
        "document.getElementById('view').dispatchEvent(new WheelEvent('wheel', {deltaY: -400, clientX: 300, clientY: 300, cancelable: true}))"
    )
    closer = until(driver, lambda: driver.execute_script(VIEW))
    assert closer["span"] < span / 1.4 and closer["x"] != pytest.approx((span - 1) / 2)
    press(driver, "0")
    assert driver.execute_script(VIEW)["span"] == span
    # Blinking goes through data, model and residual, and ends.
    seen = set()
    press(driver, "b")
    until(driver, lambda: seen.add(shown().split()[1]) or len(seen) == 3)
    press(driver, "b")
    press(driver, "2")
    until(driver, lambda: shown().startswith("F115W model"))
    # The model is dark where there is no clump, the data are not (noise).
    assert max(pixel(driver, 560, 250)[:3]) < 120
    # A value under the pointer is that of the image: the brightest clump.
    press(driver, "1", "f")
    east, north, peak = CLUMPS["1"][0]
    point(driver, east, north)
    told = driver.execute_script("return document.getElementById('readout').textContent")
    assert 0.7 * peak < float(told.split("F150W ")[1].split(" ")[0]) < 1.3 * (peak + 5)
    # The click has chosen it: its card comes.
    card = until(
        driver, lambda: driver.execute_script("return document.querySelector('#card h2')?.textContent")
    )
    assert card.startswith("1_e030n020") or card.startswith("1_e03")
    assert driver.execute_script("return document.querySelectorAll('#card .u-wrap canvas').length") == 1
    press(driver, "n")
    arrive(driver, "g-2")
    # The next galaxy is seen as this one was; its hostile name is text.
    assert shown().startswith("F150W")
    assert HOSTILE[:200] in driver.execute_script("return document.querySelector('.facts').textContent")


def test_editing_and_saving(driver, pages, tmp_path):
    names = [f"{clump}" for clump in read_table(pages.parent / "galaxies/1/clumps.ecsv")["id"]]
    ready(driver, (pages / "1.html").as_uri())
    driver.execute_script(
        "document.getElementById('who').value = 'Ann \"A\"'; document.getElementById('who').dispatchEvent(new Event('change'))"
    )
    # Add by key at the pointer, remove and move what is clicked.
    point(driver, 0.6, -0.1, then="a")
    until(driver, lambda: "new added chosen" in listed(driver))
    point(driver, *CLUMPS["1"][1][:2])
    press(driver, "r")
    until(driver, lambda: in_state(driver, "removed"))
    point(driver, *CLUMPS["1"][2][:2])
    click(driver, "#move")
    point(driver, 0.15, -0.45)
    until(driver, lambda: in_state(driver, "moved"))
    assert [row["action"] for row in table(driver)] == ["add", "remove", "move"]
    # Undo, redo, and an edit that is taken back.
    press(driver, "u")
    assert len(table(driver)) == 2 and not in_state(driver, "moved")
    press(driver, "U")
    assert len(table(driver)) == 3
    click(driver, "#reject")
    press(driver, "x")
    assert [row["action"] for row in table(driver)] == ["add", "remove", "move"]
    driver.execute_script("document.getElementById('comment').value = arguments[0]", HOSTILE)
    click(driver, "#say")
    press(driver, "i")
    arrive(driver, "g-2")
    press(driver, "x")
    before = table(driver)
    assert [(row["galaxy"], row["action"]) for row in before][3:] == [
        ("1", "comment"),
        ("1", "inspected"),
        ("g-2", "reject"),
    ]
    assert before[3]["comment"] == HOSTILE and before[0]["who"] == 'Ann "A"'
    # All of it survives, on every page.
    ready(driver, (pages / "index.html").as_uri())
    assert table(driver) == before
    assert "1 inspected, 1 rejected, 1 with clumps added" in driver.execute_script(
        "return document.getElementById('summary').textContent"
    )
    driver.refresh()
    until(driver, lambda: driver.execute_script("return document.body.dataset.ready") == "yes")
    assert table(driver) == before
    click(driver, "#save")
    saved = until(driver, lambda: list(driver.downloads.glob("*.csv")))[0]
    galaxies = read_table(pages.parent / "selection.ecsv")
    rows = read_edits(str(saved), galaxies)
    assert [row["action"] for row in rows] == [row["action"] for row in before] and rows["comment"][
        3
    ] == HOSTILE
    # Measured again with the table: the new clump is there, the removed one is not, the moved one is at its place.
    tables = make_pages(pages.parent, saved)
    assert "g-2" not in tables
    reference = cutouts_of("1")[0]["F150W"].wcs
    found = [(float(row["ra"]), float(row["dec"])) for row in tables["1"]]

    def nearest(east, north):
        x, y = reference.all_world2pix(*place(CENTRES["1"], east, north), 0)
        return min(
            ((u - x) ** 2 + (v - y) ** 2) ** 0.5 for u, v in (reference.all_world2pix(*f, 0) for f in found)
        )

    assert len(found) == len(names) == 3
    assert nearest(0.6, -0.1) < 1.0 and nearest(*CLUMPS["1"][0][:2]) < 1.5 and nearest(0.15, -0.45) < 1.0
    assert nearest(*CLUMPS["1"][1][:2]) > 10
    # Pages made with the table have nothing left to save, and know what was done.
    ready(driver, (pages / "1.html").as_uri())
    assert driver.execute_script("return clumpscope.edits.unsaved()") == 0 and len(table(driver)) == len(
        before
    )
    assert not any(in_state(driver, state) for state in ("added", "removed", "moved"))
    # An added clump that is removed takes its row off the table.
    point(driver, 0.6, -0.1)
    press(driver, "r")
    until(driver, lambda: in_state(driver, "removed"))
    assert [row["action"] for row in table(driver) if row["galaxy"] == "1"] == [
        "remove",
        "move",
        "comment",
        "inspected",
    ]
    press(driver, "u")


def test_saving_by_the_server(driver, tmp_path):
    make_pages(tmp_path / "results" / "f", None, "f")
    (tmp_path / "config.yaml").write_text(
        yaml.safe_dump({"fields": {"f": {"edits": str(tmp_path / "edits.csv")}}})
    )
    with InspectionServer(str(tmp_path / "config.yaml"), str(tmp_path / "results"), 0) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        ready(driver, server.addresses()[0])
        assert "token" not in driver.current_url
        ready(driver, f"http://127.0.0.1:{server.server_port}/f/inspect/1.html")
        press(driver, "j", "r", "e")
        rows = until(driver, lambda: read_rows(tmp_path / "edits.csv"))
        assert [(row["galaxy"], row["action"]) for row in rows] == [("1", "remove")]
        until(driver, lambda: driver.execute_script("return clumpscope.edits.unsaved()") == 0)
        assert "Measured again: 1" in driver.execute_script(
            "return document.getElementById('message').textContent"
        )
        # What another person has saved meanwhile is not lost, and is seen by a page that is opened anew.
        with (tmp_path / "edits.csv").open("a") as file:
            file.write("g-2,inspected,,,,,,Ben,\n")
        press(driver, "i")
        arrive(driver, "g-2")
        until(
            driver,
            lambda: (
                driver.execute_script(
                    "return document.getElementById('inspected').getAttribute('aria-pressed')"
                )
                == "true"
            ),
        )
        press(driver, "e")
        until(driver, lambda: len(read_rows(tmp_path / "edits.csv")) == 3)
        until(driver, lambda: driver.execute_script("return clumpscope.edits.unsaved()") == 0)
        # A contradiction is refused with its rows, and nothing is lost in the browser.
        driver.execute_script(
            "const row = clumpscope.edits.rows()[0]; clumpscope.edits.add({ ...row, action: 'add' })"
        )
        press(driver, "e")
        until(
            driver,
            lambda: (
                "'remove' and 'add' of one clump"
                in driver.execute_script("return document.getElementById('message').textContent")
            ),
        )
        assert (
            driver.execute_script("return clumpscope.edits.unsaved()") == 1
            and len(read_rows(tmp_path / "edits.csv")) == 3
        )
        press(driver, "u")
        # Taken back while it is under way: the table gets it, and the page knows that it is to go again.
        driver.execute_script(
            "clumpscope.edits.add({ galaxy: '1', action: 'comment', comment: 'a ring' }); clumpscope.edits.save(); clumpscope.edits.undo()"
        )
        until(driver, lambda: len(read_rows(tmp_path / "edits.csv")) == 4)
        until(driver, lambda: driver.execute_script("return clumpscope.edits.unsaved()") == 1)
        press(driver, "e")
        until(driver, lambda: len(read_rows(tmp_path / "edits.csv")) == 3)
        until(driver, lambda: driver.execute_script("return clumpscope.edits.unsaved()") == 0)
        server.shutdown()
    assert [
        e for e in driver.get_log("browser") if e["level"] == "SEVERE" and "400" not in e["message"]
    ] == []


def test_tables(driver, pages):
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.by import By

    ready(driver, (pages / "index.html").as_uri())
    ids = "return clumpscope.table.getRows('active').map((row) => row.getData().id)"
    assert driver.execute_script(ids) == ["1", "g-2", "faint"]
    driver.execute_script(
        "clumpscope.table.setSort('z', 'desc'); clumpscope.table.setHeaderFilterValue('n', 2)"
    )
    until(driver, lambda: driver.execute_script(ids) == ["g-2", "1"])
    ready(driver, (pages / "catalogue.html").as_uri())
    assert driver.execute_script("return document.body.dataset.chosen") == "5"
    # A rectangle around no clump leaves none, in the table too; Escape brings them back.
    over = driver.find_element(By.CSS_SELECTOR, ".u-over")
    corner = ActionChains(driver, duration=20).move_to_element_with_offset(
        over, 8 - over.size["width"] // 2, 8 - over.size["height"] // 2
    )
    corner.click_and_hold().move_by_offset(15, 10).release().perform()
    until(driver, lambda: driver.execute_script("return document.body.dataset.chosen") == "0")
    assert driver.execute_script("return clumpscope.table.getDataCount('active')") == 0
    press(driver, "\ue00c")
    until(driver, lambda: driver.execute_script("return document.body.dataset.chosen") == "5")
    press(driver, "j")
    until(driver, lambda: driver.execute_script("return document.querySelector('#card h2')?.textContent"))


def test_narrow_screens(driver, pages):
    """Nothing is wider than a phone."""
    driver.set_window_size(500, 900)
    try:
        for name in ("index", "1", "catalogue"):
            ready(driver, (pages / f"{name}.html").as_uri())
            assert driver.execute_script(
                "return document.documentElement.scrollWidth <= window.innerWidth"
            ), name
            small = driver.execute_script(
                "return [...document.querySelectorAll('button:not([hidden]), a[href]')].filter((e) => e.offsetParent && !e.textContent.trim() && !e.getAttribute('aria-label') && !e.querySelector('img[alt]')).length"
            )
            assert small == 0
    finally:
        driver.set_window_size(1440, 900)
