"""The report of a simulation tells what was simulated, what came out and from what."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from spinloom.evaluation.canvas import svg
from spinloom.evaluation.figures import plot
from spinloom.evaluation.report_content import Picture, ReportContent, Section
from spinloom.evaluation.simulation_report import describe, pool_table, simulation_report
from spinloom.interfaces import Signal
from spinloom.quantify.zspectrum import ZSpectrum, z_spectrum
from spinloom.tissue.files import read_tissue

MEASURED = np.loadtxt(Path(__file__).parents[1] / "data" / "seven_pool_aptw_reference.csv")
MINUS = "\N{MINUS SIGN}"


def spectrum(offsets: np.ndarray, mz: np.ndarray) -> ZSpectrum:
    values = torch.from_numpy(mz)
    return z_spectrum(Signal(values, torch.zeros(mz.shape), np.arange(mz.size), np.arange(mz.size), offsets))


@pytest.fixture
def apt() -> ZSpectrum:
    return spectrum(np.concatenate([[-300.0], np.arange(-4, 4.25, 0.25)]), MEASURED)


def report(apt: ZSpectrum, **changes: object) -> ReportContent:
    given: dict[str, object] = {
        "spectrum": apt,
        "figure": svg(plot(apt)),
        "tissue": read_tissue("wm_3t_7pool"),
        "sequence": {"Pulseq version": "1.4.1"},
        "sequence_figure": None,
        "notes": ("Pulses are sampled by 100 cells.",),
        "metrics": {"NRMSE": 1.25e-6},
        "timings": {"Simulate": 1.4, "Read": 0.031},
        "provenance": {"Command": "spinloom simulate"},
        "config": "seed: 0",
    }
    return simulation_report(**{**given, **changes})  # type: ignore[arg-type]


def section(content: ReportContent, title: str) -> Section:
    return next(section for section in content.sections if section.title == title)


def test_the_headline_says_what_was_simulated_and_where_asymmetry_is_largest(apt: ZSpectrum) -> None:
    assert report(apt).summary == (
        f"Z-spectrum of 'wm_3t_7pool' at 3 T: 34 measurements, offsets {MINUS}4 to 4 ppm.",
        "The largest MTR asymmetry is 0.60 % at 1.75 ppm.",
    )
    assert ("Largest MTR asymmetry", "0.60 % at 1.75 ppm") in report(apt).highlights.items


def test_a_batch_is_described_by_its_ranges(apt: ZSpectrum) -> None:
    one = read_tissue("wm_3t_7pool")
    two = one.map(lambda values: values.expand(2))
    two = replace(two, water=replace(two.water, t1=torch.tensor([0.8, 1.5])))
    assert describe(apt, two)[0].startswith("Z-spectrum of 2 tissues of 'wm_3t_7pool' at 3 T")
    assert pool_table(two).rows[0] == ("water", "100", "0.8 to 1.5", "40", "", "0", "")


def test_a_fingerprint_is_called_one_and_claims_no_asymmetry() -> None:
    schedule = spectrum(np.full(30, 3.0), np.linspace(0.2, 0.6, 30))
    assert describe(schedule, read_tissue("wm_3t_7pool")) == ("Fingerprint of 'wm_3t_7pool' at 3 T: 30 measurements.",)
    assert [name for name, _ in report(schedule).highlights.items] == ["Measurements", "Field"]


def test_offsets_on_one_side_are_said_to_have_no_asymmetry() -> None:
    one_sided = spectrum(np.array([1.0, 2.0, 3.0]), np.ones(3))
    assert "there is no MTR asymmetry" in describe(one_sided, read_tissue("wm_3t_7pool"))[1]


def test_every_pool_has_its_row_in_readable_units(apt: ZSpectrum) -> None:
    rows = {row[0]: row[1:] for row in pool_table(read_tissue("wm_3t_7pool")).rows}
    assert len(rows) == 7
    assert rows["water"] == ("100", "1", "40", "", "0", "")
    assert rows["amide"] == ("0.09009", "1", "100", "50", "3.5", "")
    assert rows["mt"] == ("13.51", "1", "0.04", "30", f"{MINUS}3", "lorentzian")


def test_all_that_was_given_has_a_section(apt: ZSpectrum) -> None:
    assert [section.title for section in report(apt).sections] == [
        "Z-spectrum",
        "Sequence",
        "Tissue",
        "Metrics",
        "What was idealised",
        "Timings",
        "Provenance",
    ]
    assert section(report(apt), "Timings").blocks[0].rows == (("Simulate", "1.40 s"), ("Read", "31.0 ms"))  # type: ignore[union-attr]


def test_what_was_not_given_has_none(apt: ZSpectrum) -> None:
    titles = {section.title for section in report(apt, metrics={}, notes=(), timings={}).sections}
    assert titles == {"Z-spectrum", "Sequence", "Tissue", "Provenance"}


def test_a_figure_of_the_sequence_stands_before_its_facts(apt: ZSpectrum) -> None:
    first = section(report(apt, sequence_figure=svg(plot(apt))), "Sequence").blocks[0]
    assert isinstance(first, Picture)
