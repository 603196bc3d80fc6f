"""The report in headless Chromium: shown whole on a screen and on a phone, by day and by night, offline."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from selenium.webdriver import Chrome
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By

from spinloom.evaluation.canvas import png, svg
from spinloom.evaluation.figures import plot
from spinloom.evaluation.report import write_report
from spinloom.evaluation.simulation_report import simulation_report
from spinloom.interfaces import Signal
from spinloom.quantify.zspectrum import z_spectrum
from spinloom.tissue.files import read_tissue

MEASURED = np.loadtxt(Path(__file__).parents[1] / "data" / "seven_pool_aptw_reference.csv")
OFFSETS = np.concatenate([[-300.0], np.arange(-4, 4.25, 0.25)])
EVIL = "<script>document.title = 'broken'</script>"
PHONE, SCREEN = 390, 1280
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    driver = shutil.which("chromedriver")
    if chromium is None or driver is None:
        missing = "Chromium and chromedriver are not both installed, so the report was not opened in a browser."
        if "chromium" in os.environ.get("SPINLOOM_REQUIRE", ""):
            pytest.fail(f"{missing} SPINLOOM_REQUIRE asks for them.")
        pytest.skip(missing)
    options = Options()
    options.binary_location = chromium
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    with Chrome(options=options, service=Service(driver)) as opened:
        yield opened


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Address of a report with an SVG, a PNG, long words and a hostile name."""
    count = MEASURED.size
    mz = torch.from_numpy(MEASURED)
    spectrum = z_spectrum(Signal(mz, torch.zeros(count), np.arange(count), np.arange(count), OFFSETS))
    content = simulation_report(
        spectrum=spectrum,
        figure=svg(plot(spectrum)),
        tissue=read_tissue("wm_3t_7pool"),
        sequence={"File": EVIL, "SHA-256": "0123456789abcdef" * 4},
        sequence_figure=png(plot(spectrum)),
        notes=("Spoiling is ideal.",),
        metrics={"NRMSE": 1e-6},
        timings={"Simulate": 1.4},
        provenance={"Command": "spinloom simulate " + "x" * 300},
        config="\n".join(f"key_{number}: {'y' * 200}" for number in range(50)),
    )
    path = tmp_path_factory.mktemp("report") / "report.html"
    write_report(path, content)
    return path.as_uri()


def open_at(browser: Chrome, page: str, width: int, scheme: str = "light") -> None:
    size = {"width": width, "height": 844, "deviceScaleFactor": 1, "mobile": width == PHONE}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    feature = {"name": "prefers-color-scheme", "value": scheme}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
    browser.get(page)


def test_it_shows_headline_pools_and_provenance(browser: Chrome, page: str) -> None:
    open_at(browser, page, SCREEN)
    assert browser.find_element(By.TAG_NAME, "h1").text == "Z-spectrum of wm_3t_7pool"
    assert "The largest MTR asymmetry is 0.60 % at 1.75 ppm." in browser.find_element(By.TAG_NAME, "header").text
    table = browser.find_element(By.XPATH, "//section[h2='Tissue']//table")
    assert len(table.find_elements(By.CSS_SELECTOR, "tbody tr")) == 7
    assert table.find_element(By.XPATH, ".//tr[th='amide']").text == "amide 0.09009 1 100 50 3.5"


@pytest.mark.parametrize("width", [PHONE, SCREEN], ids=["phone", "screen"])
def test_figures_are_drawn_inside_the_window(browser: Chrome, page: str, width: int) -> None:
    open_at(browser, page, width)
    drawings = browser.find_elements(By.CSS_SELECTOR, "figure svg, figure img")
    assert [drawing.tag_name for drawing in drawings] == ["svg", "img"]
    for drawing in drawings:
        assert 300 < drawing.rect["width"] <= width
        assert drawing.rect["height"] > 200
    labels = browser.find_elements(By.CSS_SELECTOR, "figure svg text")
    assert "Saturation offset [ppm]" in [label.text for label in labels]
    assert min(label.rect["height"] for label in labels) >= 8


@pytest.mark.parametrize("width", [PHONE, SCREEN], ids=["phone", "screen"])
def test_the_page_never_scrolls_sideways(browser: Chrome, page: str, width: int) -> None:
    open_at(browser, page, width)
    browser.execute_script("document.querySelectorAll('details').forEach(element => element.open = true)")
    assert browser.execute_script("return innerWidth") == width
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width


def test_a_wide_table_scrolls_inside_its_box_on_a_phone(browser: Chrome, page: str) -> None:
    open_at(browser, page, PHONE)
    box = browser.find_element(By.XPATH, "//section[h2='Tissue']//div[@role='region']")
    wide, shown = browser.execute_script("return [arguments[0].scrollWidth, arguments[0].clientWidth]", box)
    assert wide > shown


def test_night_turns_paper_dark_and_ink_light(browser: Chrome, page: str) -> None:
    def brightness(scheme: str) -> list[int]:
        open_at(browser, page, SCREEN, scheme)
        script = "const s = getComputedStyle(document.body); return [s.backgroundColor, s.color]"
        return [sum(map(int, color[4:-1].split(","))) for color in browser.execute_script(script)]

    (paper, ink), (night_paper, night_ink) = brightness("light"), brightness("dark")
    assert paper > 700 > 200 > ink
    assert night_paper < 100 < 600 < night_ink


def test_the_configuration_is_folded_until_asked_for(browser: Chrome, page: str) -> None:
    open_at(browser, page, SCREEN)
    text = browser.find_element(By.CSS_SELECTOR, "details pre")
    assert not text.is_displayed()
    browser.find_element(By.TAG_NAME, "summary").click()
    assert text.is_displayed()


def test_a_hostile_name_is_shown_as_text(browser: Chrome, page: str) -> None:
    open_at(browser, page, SCREEN)
    assert browser.title == "Z-spectrum of wm_3t_7pool"
    assert EVIL in browser.find_element(By.XPATH, "//section[h2='Sequence']").text


def test_nothing_is_requested_and_nothing_is_complained_of(browser: Chrome, page: str) -> None:
    open_at(browser, page, SCREEN)
    fetched = browser.execute_script("return performance.getEntriesByType('resource').map(entry => entry.name)")
    assert [name for name in fetched if not name.startswith("data:")] == []
    assert browser.get_log("browser") == []
