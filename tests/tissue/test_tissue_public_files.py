"""Public pool models of other people, read where they lie beside the checkout."""

from __future__ import annotations

from pathlib import Path

import pytest

from spinloom.errors import TissueError
from spinloom.tissue.files import read_tissue

PUBLIC = Path(__file__).parents[2].parent / "shared" / "data"
pytestmark = pytest.mark.skipif(not PUBLIC.is_dir(), reason="the public pool models are not beside the checkout")


def test_the_public_seven_pool_white_matter_reads_with_its_numbers() -> None:
    tissue = read_tissue(PUBLIC / "pulseq-cest-library" / "WM_3T_default_7pool_bmsim.yaml")
    amide, guanidine, amine, hydroxyl, noe = tissue.exchanging
    assert [pool.name for pool in tissue.exchanging] == ["amide", "guanidine_1", "amine_1", "OH_1", "NOE_1"]
    assert (tissue.water.t1, tissue.water.t2, tissue.semisolid[0].f) == (1.0, 0.04, 0.1351)
    assert (amide.k, guanidine.k, amine.k, hydroxyl.k, noe.k) == (50, 1000, 5000, 3500, 20)
    assert (noe.f, noe.t1, noe.t2, noe.shift_ppm, tissue.max_pulse_samples) == (0.0045, 1.3, 0.005, -3, 300)


def test_the_public_file_with_a_stray_brace_is_refused_with_its_line() -> None:
    with pytest.raises(TissueError, match=r"2pool_bmsim.yaml', line 43: .*but found '}'"):
        read_tissue(PUBLIC / "pulseq-cest-library" / "WM_3T_Stanisz2005_2pool_bmsim.yaml")


def test_the_public_file_without_inhomogeneity_and_with_rates_takes_the_default() -> None:
    tissue = read_tissue(PUBLIC / "pulseq-cest-library" / "BF_volTueb1_9p4T_Lorentz_wo_0ppm_4cestpools_GM.yaml")
    assert (tissue.b0_shift_ppm, tissue.reset, tissue.max_pulse_samples) == (0.0, True, 300)
    assert float(tissue.water.t2) == 1 / 10.31146085192626
    assert float(tissue.exchanging[2].f) == 8.291914300018561e-4


def test_all_other_public_pool_models_read() -> None:
    names = {path.name: read_tissue(path) for path in PUBLIC.rglob("*.yaml") if "2005_2pool" not in path.name}
    assert len(names) >= 9
    assert names["WM_3T_Stanisz2005_5pool_SLorbmsim.yaml"].semisolid[0].lineshape == "superlorentzian"
    assert float(names["case_1_2pool_model.yaml"].exchanging[0].f) == 5e-4
