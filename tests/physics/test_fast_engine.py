"""The compiled engine against the readable one, on random tissues and pulses, and its own laws."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spinloom.errors import ConfigurationError
from spinloom.physics.engine import solve_pools
from spinloom.physics.fast import play_fast
from spinloom.physics.fast_program import FastProgram
from spinloom.physics.propagation import Propagators, play
from spinloom.physics.star import star_of
from spinloom.sequence.steps import step_program
from spinloom.sequence.timeline import RfWaveform, Timeline
from spinloom.testing.timelines import MARKER, SPOILER, block_pulse, rf_event, timeline_of
from spinloom.tissue.pool_model import tissue_from_mapping
from spinloom.tissue.pools import Tissue

ROUNDING = 1e-10
"""Taylor terms grow to e^12 before they fall: five of float64's sixteen digits, over hundreds of cells."""

SEVEN = {
    "water_pool": {"t1": [0.9, 1.1, 1.3], "t2": [0.04, 0.05, 0.06]},
    "mt_pool": {"f": 0.13, "t1": 1.0, "t2": 4e-5, "k": 30, "dw": -3, "lineshape": "lorentzian"},
    "cest_pool": {
        "amide": {"f": [9e-4, 1e-3, 2e-3], "t1": 1.0, "t2": 0.1, "k": 50, "dw": 3.5},
        "amine": {"f": 9e-4, "t1": 1.0, "t2": 0.1, "k": [5000, 3000, 1000], "dw": 3},
        "noe": {"f": 4.5e-3, "t1": 1.3, "t2": 5e-3, "k": 20, "dw": -3},
    },
    "b0": 3,
    "rel_b1": [0.8, 1.0, 1.2],
    "b0_inhom": [-0.1, 0.0, 0.2],
}


def sinc(cells: int, *, duration: float = 0.05, turn: float = 0.0) -> RfWaveform:
    """A raised-cosine sinc, symmetric in time; `turn` adds a phase ramp, which makes it complex."""
    time = (np.arange(cells) + 0.5) / cells - 0.5
    values = (0.85 + 0.15 * np.cos(2 * np.pi * time)) * np.sinc(2 * time) * np.exp(1j * turn * time)
    return RfWaveform(np.full(cells, duration / cells), values, exact=True)


def train(waveform: RfWaveform, offsets: list[float], amplitude: float = 140.0) -> Timeline:
    parts: list = []
    for offset in offsets:
        for number in range(3):
            parts += [(waveform, rf_event(amplitude, offset, 0.7 * number)), 0.005]
        parts += [SPOILER, MARKER]
    return timeline_of(parts)


def both(timeline: Timeline, tissue: Tissue, cells: int | None) -> tuple[torch.Tensor, torch.Tensor]:
    """The signal by the fast and by the readable engine."""
    program = step_program(timeline)
    assert star_of(tissue) is not None
    fast = torch.stack(play_fast(FastProgram.of(program, timeline, tissue), tissue, cells, 1e-14, 1))
    readable = torch.stack(play(Propagators(timeline, tissue, cells).moves(program), tissue, torch.float64))
    return fast, readable


def seven(**changes: object) -> Tissue:
    return tissue_from_mapping({**SEVEN, **changes}, "seven")


@pytest.mark.parametrize("reset", [True, False])
@pytest.mark.parametrize("turn", [pytest.param(0.0, id="real"), pytest.param(3.0, id="complex")])
def test_both_engines_solve_the_samples_of_a_file_alike(turn: float, reset: bool) -> None:
    """With every sample solved there is no sampling left to differ in."""
    fast, readable = both(train(sinc(200, turn=turn), [-500.0, 0.0, 130.0]), seven(reset_init_mag=reset), None)
    assert float((fast - readable).abs().max()) <= ROUNDING


def test_an_asymmetric_pulse_is_not_taken_for_a_symmetric_one() -> None:
    lopsided = sinc(200)
    values = lopsided.values * np.linspace(0.5, 1.5, 200)
    timeline = train(RfWaveform(lopsided.durations, values, exact=True), [250.0])
    fast, _ = both(timeline, seven(), 96)
    _, exact = both(timeline, seven(), None)
    assert float((fast - exact).abs().max()) <= 1e-5


@pytest.mark.parametrize("offset", [0.0, 60.0, -450.0, 900.0], ids="{} Hz".format)
def test_the_half_of_a_symmetric_pulse_stands_for_the_whole(offset: float) -> None:
    fast, _ = both(train(sinc(2000), [offset]), seven(), 96)
    _, exact = both(train(sinc(2000), [offset]), seven(), None)
    assert float((fast - exact).abs().max()) <= 1e-6


@pytest.mark.parametrize("offset", [-38e3, 60e3, 199e3], ids="{} Hz".format)
def test_a_pulse_far_off_resonance_agrees_with_every_sample_of_its_file(offset: float) -> None:
    """Steps of the file included: they excite where a multiple of their rate meets a pool."""
    fast, _ = both(train(sinc(500), [offset]), seven(), 48)
    _, exact = both(train(sinc(500), [offset]), seven(), None)
    assert float((fast - exact).abs().max()) <= 1e-8


@given(
    amplitude=st.floats(1, 300),
    offset=st.floats(-2000, 2000),
    pools=st.lists(
        st.fixed_dictionaries(
            {
                "f": st.floats(1e-4, 0.2),
                "t1": st.floats(0.3, 3),
                "t2": st.floats(1e-3, 1),
                "k": st.floats(0, 6000),
                "dw": st.floats(-5, 5),
            }
        ),
        max_size=4,
    ),
    scale=st.floats(0, 1),
)
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_star_of_pools_under_any_pulse_agrees_with_the_readable_engine(amplitude, offset, pools, scale) -> None:
    model = {
        "water_pool": {"t1": 1.1, "t2": 0.07},
        "cest_pool": {f"pool{number}": pool for number, pool in enumerate(pools)},
        "b0": 3,
        "scale": scale,
    }
    timeline = train(sinc(64, duration=0.02), [offset], amplitude)
    fast, readable = both(timeline, tissue_from_mapping(model, "random").flatten(), None)
    assert float((fast - readable).abs().max()) <= ROUNDING


def test_threads_and_chunks_change_nothing() -> None:
    tissue, timeline = seven(), train(sinc(200), [-500.0, 130.0])
    program = FastProgram.of(step_program(timeline), timeline, tissue)
    alone = [play_fast(program, tissue[i : i + 1], 48, 1e-8, 1) for i in range(3)]
    shared = play_fast(program, tissue, 48, 1e-8, 2)
    for number, part in enumerate(shared):
        joined = torch.cat([parts[number] for parts in alone])
        assert float((part - joined).abs().max()) <= 1e-8  # series of a chunk are as long as its fastest tissue needs


def test_threads_that_share_the_tissues_of_a_batch_change_nothing() -> None:
    """Three of them among a hundred tissues, each with its own pulses and trains."""
    model = {**SEVEN, "water_pool": {"t1": np.linspace(0.8, 2, 100).tolist(), "t2": 0.05}, "rel_b1": 1, "b0_inhom": 0}
    model["cest_pool"] = {"amide": {"f": 1e-3, "t1": 1.0, "t2": 0.1, "k": 50, "dw": 3.5}}
    timeline, tissue = train(sinc(200), [-500.0, 130.0]), tissue_from_mapping(model, "hundred")
    program = FastProgram.of(step_program(timeline), timeline, tissue)
    alone, shared = (play_fast(program, tissue, 48, 1e-13, threads) for threads in (1, 3))
    for one, other in zip(alone, shared, strict=True):
        assert float((one - other).abs().max()) <= 1e-12  # a series is as long as its fastest tissue needs


def test_the_fast_engine_leaves_to_the_readable_one_what_it_does_not_solve() -> None:
    learning = seven().map(lambda values: values.clone().requires_grad_())
    assert star_of(learning) is None
    beyond = seven(exchange={"amide-amine": {"k": 10}})
    assert star_of(beyond) is None
    timeline = train(sinc(64), [130.0])
    assert "Played by the readable engine." in solve_pools(timeline, beyond).notes
    assert "Played by the fast engine." in solve_pools(timeline, seven()).notes
    with pytest.raises(ConfigurationError, match=r"'seven'.*star exchange.*engine=auto"):
        solve_pools(timeline, beyond, engine="fast")
    with pytest.raises(ConfigurationError, match=r"'fats' is unknown. Did you mean 'fast'\?"):
        solve_pools(timeline, seven(), engine="fats")


def test_a_timeline_of_block_pulses_plays_on_both_engines_alike() -> None:
    timeline = timeline_of([block_pulse(1.0, 85.0, 300.0), SPOILER, MARKER, 0.5, block_pulse(0.1, 30.0), MARKER])
    fast, readable = both(timeline, seven(), None)
    assert float((fast - readable).abs().max()) <= ROUNDING


@pytest.mark.parametrize("batch", [1, 8, 19, 40])
@pytest.mark.parametrize("bound", [False, True], ids=["", "semisolid"])
def test_batches_of_few_pools_play_as_each_tissue_does_alone(batch: int, bound: bool) -> None:
    """Batches fill blocks of sixteen, a single tissue none."""
    pools = {"mt_pool": {"f": 0.1, "t1": 1.0, "t2": 1e-5, "k": 30, "dw": 0, "lineshape": "lorentzian"}} if bound else {}
    model = {
        "water_pool": {"t1": np.linspace(0.8, 2, batch).tolist(), "t2": 0.05},
        "cest_pool": {"amide": {"f": 1e-3, "t1": 1.0, "t2": 0.1, "k": 50, "dw": 3.5}},
        "b0": 3,
        "reset_init_mag": False,
        **pools,
    }
    pulses = [block_pulse(0.02, 85.0, 300.0, phase) for phase in (0.0, 0.9)]
    timeline = timeline_of([pulses[0], 0.005, pulses[1], MARKER, SPOILER, 0.1, pulses[1], 0.003, MARKER])
    fast, readable = both(timeline, tissue_from_mapping(model, "batch"), None)
    assert float((fast - readable).abs().max()) <= ROUNDING
