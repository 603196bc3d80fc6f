"""Nine public sequences of other people: what they hold, and how little memory their reading takes."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from spinloom.sequence.read import read_sequence
from spinloom.sequence.steps import step_program

DATA = Path(__file__).parents[2].parent / "shared" / "data"

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason=f"the public sequences are not at {DATA}")


@dataclass(frozen=True)
class Facts:
    """What a file holds: version, blocks, measurements, pulses, distinct RF events and envelopes, duration [s]."""

    version: tuple[int, int, int]
    blocks: int
    measurements: int
    pulses: int
    events: int
    waveforms: int
    duration: float


FACTS = {
    "bmsim/case_1_create_seq": Facts((1, 3, 1), 1208, 302, 302, 302, 1, 5589.30426),
    "bmsim/case_2_create_seq": Facts((1, 3, 1), 1208, 302, 302, 302, 1, 1663.30426),
    "bmsim/case_3_create_seq": Facts((1, 3, 1), 1208, 302, 302, 302, 1, 1663.30426),
    "bmsim/case_4_create_seq": Facts((1, 3, 1), 328, 82, 82, 82, 1, 256.03566),
    "bmsim/case_6_pypulseq_v131": Facts((1, 3, 1), 22348, 302, 10872, 10837, 1, 1655.715),
    "bmsim/case_6_pypulseq_v140": Facts((1, 4, 0), 22348, 302, 10872, 10837, 1, 1655.715),
    "pulseq-cest-library/APTw_3T_000_2uT_1block_2s_braintumor": Facts((1, 3, 1), 136, 34, 34, 34, 1, 187.25942),
    "pulseq-cest-library/APTw_3T_001_2uT_36SincGauss_DC90_2s_braintumor": Facts(
        (1, 4, 0), 2516, 34, 1224, 859, 1, 186.56412
    ),
    "pulseq-cest-library/MRF_CEST_3T_002_13SL_DC50_2500ms_LArginine": Facts(
        (1, 3, 1), 1620, 30, 1170, 585, 2, 105.3975
    ),
}


@pytest.mark.parametrize(("name", "facts"), FACTS.items(), ids=[name.split("/")[1] for name in FACTS])
def test_a_public_file_holds(name: str, facts: Facts) -> None:
    timeline = read_sequence(DATA / f"{name}.seq")
    measurements, pulses = (timeline.block_adc >= 0).sum(), (timeline.block_rf >= 0).sum()
    assert timeline.duration == pytest.approx(facts.duration, abs=1e-9)
    found = (timeline.version, len(timeline), measurements, pulses, len(timeline.rf), len(timeline.waveforms))
    assert found == (facts.version, facts.blocks, facts.measurements, facts.pulses, facts.events, facts.waveforms)


def test_every_public_file_of_the_folder_is_among_them() -> None:
    assert {str(path.relative_to(DATA).with_suffix("")) for path in DATA.rglob("*.seq")} == set(FACTS)


@pytest.mark.parametrize("name", FACTS, ids=[name.split("/")[1] for name in FACTS])
def test_a_public_file_makes_a_program_that_marks_each_measurement_once(name: str) -> None:
    timeline = read_sequence(DATA / f"{name}.seq")
    program = step_program(timeline)
    assert program.measurement.tolist() == list(range(FACTS[name].measurements))
    assert np.all(np.diff(program.time) > 0)


def test_the_rf_power_of_the_train_is_the_one_that_its_file_states() -> None:
    """APTw_3T_001 states the root mean square B1 [uT] of its 36 pulses of 50 ms, each with a gap of 5 ms."""
    timeline = read_sequence(next((DATA / "pulseq-cest-library").glob("APTw_3T_001*.seq")))
    event, gamma_bar = timeline.rf[0], 42.5764
    energy = 36 * event.amplitude**2 * timeline.waveforms[0].power / gamma_bar**2
    assert np.sqrt(energy / (36 * 0.055)) == pytest.approx(timeline.definitions["B1rms"], rel=1e-4)


READ = """
import resource, sys
import pypulseq, torch
from spinloom.sequence.read import read_sequence
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
timeline = read_sequence(sys.argv[1])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="ru_maxrss is in kilobytes on Linux alone")
def test_block_pulses_of_15_s_are_read_within_100_mb() -> None:
    """pypulseq expands them to 15 million samples each and takes more than 24 GB."""
    case_1 = DATA / "bmsim" / "case_1_create_seq.seq"
    asked = subprocess.run(
        [sys.executable, "-c", READ, case_1], capture_output=True, text=True, check=True, timeout=120
    )
    assert int(asked.stdout) * 1024 < 100e6
