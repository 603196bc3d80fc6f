"""`spinloom simulate` with a phantom: what a run of an image leaves, and what it says to bad input."""

from __future__ import annotations

import json
import math
import os
import warnings
from pathlib import Path

import numpy as np
import pypulseq as pp
import pytest
import torch
from click.testing import CliRunner, Result

import spinloom
from spinloom.cli import root

SIDE, FOV = 16, 0.22
GRID = " \N{MULTIPLICATION SIGN} ".join(("16", "16", "1"))
QUICK = ["simulator=epi", "sequence=epi(matrix=16, esp_ms=0.4, te_ms=10)", "tracking=off"]
TUBES = ["phantom=tubes", "phantom.matrix=16"]
BRAIN = ["phantom=brain_pools", "phantom.matrix=16"]
SATURATED = "sequence=cest_epi(matrix=16, esp_ms=0.5, pulses=2, pulse_ms=20, largest_ppm=3.5, step_ppm=3.5)"


def simulate(*arguments: str) -> Result:
    """The command in this process, in the working directory."""
    return CliRunner().invoke(root, ["simulate", *arguments])


def refusal(*arguments: str) -> str:
    """The one line that a refused command prints; nothing is left of it."""
    before = sorted(os.listdir())
    result = simulate(*arguments, "output=refused")
    assert result.exit_code == 1, result.output
    lines = [line for line in result.stderr.strip().splitlines() if line.startswith("error: ")]
    assert len(lines) == 1, result.stderr
    assert sorted(os.listdir()) == before
    return lines[0].removeprefix("error: ")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def image_run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A noisy EPI of a brain with four coils, with raw data: its run folder and what it printed."""
    folder = tmp_path_factory.mktemp("image") / "results"
    noisy = ["simulator.noise=0.01", "seed=3", "rawdata=true"]
    result = simulate(*QUICK, *TUBES, "phantom.coils=4", "phantom.b0_hz=[-50,50]", *noisy, f"output={folder}")
    assert result.exit_code == 0, result.output
    return folder, result.stdout


def test_a_run_ends_with_what_it_found_and_where_it_lies(image_run: tuple[Path, str]) -> None:
    lines = image_run[1].splitlines()
    assert lines[0] == (
        f"'tubes' of {GRID} spins, 256 samples in 16 readouts; one image of {GRID} voxels from 4 coils."
    )
    assert lines[1] == f"Report: {image_run[0] / 'report.html'}"


def test_the_run_folder_holds_everything(image_run: tuple[Path, str]) -> None:
    assert sorted(os.listdir(image_run[0])) == [
        "config.yaml",
        "figures",
        "image.nii.gz",
        "kspace.zarr",
        "magnitude.nii.gz",
        "phantom.zarr",
        "raw_data.h5",
        "report.html",
        "run.json",
        "sequence.seq",
    ]
    assert sorted(os.listdir(image_run[0] / "figures")) == ["image.png", "kspace.png", "phantom.png", "sequence.png"]


def test_nifti_holds_the_image_of_the_kept_samples(image_run: tuple[Path, str]) -> None:
    import nibabel

    kspace = spinloom.read_kspace(image_run[0])
    image = spinloom.reconstruct(kspace, spinloom.read_sequence(image_run[0] / "sequence.seq").definitions)
    magnitude = nibabel.load(image_run[0] / "magnitude.nii.gz").get_fdata()
    assert magnitude.shape == (SIDE, SIDE, 1)
    assert np.allclose(magnitude[:, :, 0].T, image.magnitude[0, 0].numpy(), atol=1e-6)
    coils = np.asarray(nibabel.load(image_run[0] / "image.nii.gz").dataobj)
    assert coils.shape == (SIDE, SIDE, 1, 1, 4)
    assert np.allclose(coils[:, :, 0, 0].transpose(2, 1, 0), image.data[0, :, 0].numpy(), atol=1e-6)


def test_raw_data_holds_the_conjugate_of_every_sample(image_run: tuple[Path, str]) -> None:
    import ismrmrd

    with ismrmrd.File(str(image_run[0] / "raw_data.h5"), "r") as file:
        acquisitions = list(file["dataset"].acquisitions)
    written = np.concatenate([acquisition.data for acquisition in acquisitions], axis=-1)
    assert np.array_equal(written.conj(), spinloom.read_kspace(image_run[0]).samples.numpy())


def test_a_stranger_reconstructs_the_image_from_raw_data_alone(image_run: tuple[Path, str]) -> None:
    """By counters, flags and limits of the format, and numpy's FFT; ISMRMRD's images are the conjugates of ours."""
    import ismrmrd
    import nibabel

    with ismrmrd.File(str(image_run[0] / "raw_data.h5"), "r") as file:
        lines, size = list(file["dataset"].acquisitions), file["dataset"].header.encoding[0].encodedSpace.matrixSize
    grid = np.zeros((lines[0].active_channels, size.y, size.x), complex)
    for line in lines:
        backwards = line.is_flag_set(ismrmrd.ACQ_IS_REVERSE)
        grid[:, line.idx.kspace_encode_step_1] = line.data[:, ::-1] if backwards else line.data
    image = np.fft.fftshift(np.fft.ifft2(np.fft.ifftshift(grid, (1, 2))), (1, 2)) * size.x * size.y
    coils = np.asarray(nibabel.load(image_run[0] / "image.nii.gz").dataobj)[:, :, 0, 0].transpose(2, 1, 0)
    assert np.abs(image - coils.conj()).max() < 1e-4 * np.abs(coils).max()  # six digits of the file's gradients


def test_the_report_says_what_was_idealised_and_shows_the_image(image_run: tuple[Path, str]) -> None:
    page = (image_run[0] / "report.html").read_text()
    assert "The spins of the plane lie at 63 depths in its 5 mm and dephase there." in page
    assert "Complex noise of 0.01 of the largest sample is added to each part of each sample." in page
    assert page.count("data:image/png") == 4
    assert "Largest shift along it" in page


def test_a_run_with_noise_and_coils_reproduces_bit_for_bit(image_run: tuple[Path, str]) -> None:
    result = CliRunner().invoke(root, ["reproduce", str(image_run[0])])
    assert result.output == "epi(matrix=16, esp_ms=0.4, te_ms=10) on tubes: reproduced bit for bit.\n"


def test_the_phantom_of_a_run_can_be_simulated_again_by_its_path(image_run: tuple[Path, str], here: Path) -> None:
    path = os.path.relpath(image_run[0] / "phantom.zarr")
    again = simulate(*QUICK, f"phantom={path}", "simulator.noise=0.01", "seed=3", "output=again")
    assert again.exit_code == 0, again.output
    assert torch.equal(spinloom.read_kspace("again").samples, spinloom.read_kspace(image_run[0]).samples)


def test_a_folder_of_nifti_maps_is_a_phantom(here: Path) -> None:
    made = CliRunner().invoke(root, ["phantom", "make", "tubes", "matrix=16", "-o", "maps"])
    assert made.exit_code == 0, made.output
    assert simulate(*QUICK, "phantom=maps", "output=read").exit_code == 0
    direct = spinloom.simulate(
        sequence=QUICK[1].removeprefix("sequence="),
        phantom=spinloom.build_phantom({"name": "tubes", "matrix": 16}),
        simulator="epi",
    )
    # maps are kept in float32
    assert float((spinloom.read_kspace("read").samples - direct.samples).abs().max()) < 1e-6


def test_a_sweep_takes_names_and_paths_and_options_of_both(image_run: tuple[Path, str], here: Path) -> None:
    choices = f"phantom=tubes,{image_run[0] / 'phantom.zarr'}"
    result = simulate("-m", *QUICK, choices, "phantom.b0_hz=7", "output=sweep")
    assert result.exit_code == 0, result.output
    for number, side in enumerate((128, 16)):
        phantom = spinloom.read_phantom(f"sweep/{number}/phantom.zarr")
        assert phantom.shape == (1, side, side)
        assert set(phantom.b0.flatten().tolist()) == {7.0}


@pytest.mark.parametrize("sweep", [[], ["-m"]], ids=["run", "sweep"])
def test_null_takes_back_the_phantom_of_an_experiment_and_its_options(sweep: list[str], here: Path) -> None:
    tissue = ["phantom=null", "tissue=water_3t", "simulator=cest", "sequence=aptw_3t_block", "tracking=off"]
    result = simulate(*sweep, "experiment=epi_brain", *tissue, "output=taken")
    assert result.exit_code == 0, result.output
    assert spinloom.read_signal("taken/0" if sweep else "taken").mz.numel() > 1


def test_saturated_images_show_their_offsets_and_report_asymmetry(here: Path) -> None:
    result = simulate("simulator=cest_epi", SATURATED, *BRAIN, "tracking=off", "simulator.spins=1", "output=apt")
    assert result.exit_code == 0, result.output
    assert f"4 images of {GRID} voxels" in result.stdout
    page = Path("apt/report.html").read_text()
    assert "MTR asymmetry" in page
    assert "What is played before a shot." in page
    assert (Path("apt") / "figures" / "preparation.png").is_file()


def test_a_grid_too_coarse_is_told_with_what_would_do(here: Path) -> None:
    """Crushers in the plane, which one spin a voxel cannot hold."""
    coarse = "sequence=fse(matrix=16, shots=4, etl=4, refocusing_deg=120, crusher_axes=x, crusher_cycles=1)"
    result = simulate("simulator=fse", coarse, *TUBES, "phantom.spins=1", "tracking=off", "output=coarse")
    assert result.exit_code == 0, result.output
    page = Path("coarse/report.html").read_text()
    assert "16 x 16 x 1 isochromats are too few for the coherence" in page
    assert "keep all false echoes below 0.1 %" in page


def test_without_an_image_the_samples_are_kept_and_the_report_says_why(here: Path) -> None:
    write(lines("spare.seq"), "spare.seq", {"FOV": [FOV, FOV, 0.005]})
    result = simulate("simulator=bloch", "sequence=spare.seq", *TUBES, "tracking=off", "output=kept")
    assert result.exit_code == 0, result.output
    assert "they make up no image." in result.stdout
    assert "There is no image: Places of k-space are visited 1 to 2 times" in Path("kept/report.html").read_text()
    assert spinloom.read_kspace("kept").measurements == 5


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([*QUICK, *TUBES, "tissue=water_3t"], "tissue=water_3t and phantom=tubes are both given; leave one out"),
        (QUICK, "'phantom' is not given; add phantom=NAME. Known: brain, brain_pools, shapes, shepp_logan, tubes."),
        ([*QUICK, "phantom=null", "tissue=null"], "'phantom' is not given; add phantom=NAME."),
        (
            ["simulator=cest", "sequence=aptw_3t_block", *TUBES, "tracking=off"],
            "Simulator 'cest' takes a tissue, but phantom=tubes is given; give tissue=NAME",
        ),
        (
            [*QUICK, "tissue=water_3t"],
            "Simulator 'epi' takes a phantom, but tissue=water_3t is given; give phantom=NAME",
        ),
        ([*QUICK, "phantom=tubs"], "'tubs' is neither a phantom that Spinloom makes nor a path. Did you mean 'tubes'?"),
        ([*QUICK, "phantom.matrix=16"], "'phantom' is not chosen, so that it has no key 'matrix'; add phantom=NAME."),
        ([*QUICK, "phantom=tubes", "phantom.matrx=16"], "'phantom' has no key 'matrx'. Did you mean 'matrix'?"),
        (
            ["simulator=cest_epi", SATURATED, *TUBES, "tracking=off"],
            "Simulator 'cest_epi' needs a phantom with pools of saturation transfer (phantom=brain_pools), but 'tubes'",
        ),
        (
            ["simulator=cest_epi", QUICK[1], *BRAIN, "tracking=off", "simulator.spins=0"],
            "simulator.spins is 0; it is a whole number from 1.",
        ),
        ([*QUICK, *TUBES, "simulator.rtol=0"], "simulator.rtol is 0; it is a positive number such as 1e-5."),
        ([*QUICK, *TUBES, "simulator.rtol=inf"], "simulator.rtol is inf; it is a positive number such as 1e-5."),
        ([*QUICK, *TUBES, "simulator.rtol=1e-9"], "simulator.rtol is 1e-09, but float32 holds errors from 1e-06; add"),
        ([*QUICK, *TUBES, "simulator.noise=-1"], "simulator.noise is -1; it is a number from 0."),
        ([*QUICK, *TUBES, "simulator.recovery=foo"], "simulator.recovery is 'foo'. Known: complete, played."),
        ([*QUICK, *TUBES, "simulator.engine=foo"], "simulator.engine is 'foo'. Known: auto, fast, "),
        ([*QUICK, *TUBES, "simulator.dephasing=1"], "simulator.dephasing is 1; it is true or false."),
        ([*QUICK, *TUBES, "phantom.spins=0"], "Phantom 'tubes': 'spins' is 0, but must be whole numbers from 1."),
        ([*QUICK, *TUBES, "rawdata=1"], "rawdata is 1; it is true or false."),
        (
            ["simulator=cest", "sequence=aptw_3t_block", "tissue=water_3t", "rawdata=true", "tracking=off"],
            "rawdata=true is k-space of a phantom, which a tissue has none of; leave it out.",
        ),
        ([*QUICK, "phantom=tubes", "phantom.matrix=100000"], "GB of memory, but"),
    ],
    ids=lambda value: value[:40] if isinstance(value, str) else "",
)
def test_a_choice_that_cannot_be_is_refused_in_a_sentence(arguments: list[str], sentence: str, here: Path) -> None:
    assert sentence in refusal(*arguments)


@pytest.mark.parametrize(
    ("simulator", "sequence", "sentence"),
    [
        ("fse", "epi(matrix=16, esp_ms=0.4, te_ms=10)", "shot 1 of epi(matrix=16, esp_ms=0.4, te_ms=10).seq has 1"),
        ("epi", "fse(matrix=16, shots=4, etl=4, esp_ms=8)", "has 1 excitations, 4 refocusing pulses and 4 lines"),
        ("moled", "epi(matrix=16, esp_ms=0.4, te_ms=10)", "plays shots of several excitations, one refocusing pulse"),
    ],
)
def test_the_file_of_another_family_is_refused_with_the_reason(
    simulator: str, sequence: str, sentence: str, here: Path
) -> None:
    said = refusal(f"simulator={simulator}", f"sequence={sequence}", *TUBES, "tracking=off")
    assert said.startswith(f"Simulator '{simulator}' plays shots of")
    assert sentence in said
    assert said.endswith("simulator=bloch plays any sequence.")


def lines(kind: str) -> pp.Sequence:
    """A gradient-echo train of four lines of 16 samples, and what `kind` makes of it."""
    system = pp.Opts(max_grad=30, grad_unit="mT/m", max_slew=130, slew_unit="T/m/s", rf_dead_time=1e-4)
    sequence = pp.Sequence(system)
    excitation = pp.make_block_pulse(np.pi / 2, duration=1e-3, delay=1e-4, system=system, use="excitation")
    flat = pp.make_trapezoid("x", flat_area=SIDE / FOV, flat_time=6.4e-4, system=system)
    adc = pp.make_adc(SIDE, duration=6.4e-4, delay=flat.rise_time, system=system)
    if kind == "sampled pulse.seq":
        sequence.add_block(excitation, pp.make_adc(8, duration=5e-4, delay=2e-4, system=system))
    else:
        sequence.add_block(excitation)
    sequence.add_block(
        pp.make_trapezoid("x", area=-flat.area / 2, duration=1e-3, system=system),
        pp.make_trapezoid("y", area=-2 / FOV, duration=1e-3, system=system),
    )
    for line in range(4):
        readout = [flat if line % 2 == 0 else pp.scale_grad(flat, -1.0)]
        if kind == "oblique.seq":
            readout.append(pp.make_trapezoid("y", flat_area=line / FOV, flat_time=6.4e-4, system=system))
        if kind == "labels.seq":
            readout.append(pp.make_label("LIN", "SET", (0, 2, 1, 3)[line]))
        sequence.add_block(*readout, *(() if kind == "silent.seq" else (adc,)))
        sequence.add_block(pp.make_trapezoid("y", area=1 / FOV, duration=5e-4, system=system))
    if kind == "spare.seq":
        sequence.add_block(pp.make_trapezoid("y", area=-1 / FOV, duration=5e-4, system=system))
        sequence.add_block(flat, adc)
    if kind == "long.seq":
        many = pp.make_adc(2_000_000, duration=2.0, system=system)
        for _ in range(3000):
            sequence.add_block(many)
    return sequence


def write(sequence: pp.Sequence, name: str, definitions: dict[str, object]) -> None:
    for key, value in definitions.items():
        sequence.set_definition(key, value)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sequence.write(name)


@pytest.mark.parametrize(
    ("file", "simulator", "sentence"),
    [
        ("silent.seq", "epi", "Simulator 'epi' needs a sequence with ADC events, but silent.seq has none."),
        ("silent.seq", "bloch", "Simulator 'bloch' needs a sequence with ADC events, but silent.seq has none."),
        ("sampled pulse.seq", "bloch", "sampled pulse.seq: block 1 in playing order samples while its RF pulse plays"),
        ("oblique.seq", "epi", "makes images of lines of k-space, but those of oblique.seq make up none: The samples"),
        ("labels.seq", "epi", "those of labels.seq make up none: Label LIN contradicts the gradient moments: it is"),
        ("spare.seq", "epi", "those of spare.seq make up none: Places of k-space are visited 1 to 2 times"),
        ("long.seq", "bloch", "samples need about"),
    ],
)
def test_a_file_that_cannot_be_imaged_is_refused_in_a_sentence(
    file: str, simulator: str, sentence: str, here: Path
) -> None:
    write(lines(file), file, {"FOV": [FOV, FOV, 0.005]})
    assert sentence in refusal(f"simulator={simulator}", f"sequence={file}", *TUBES, "tracking=off")


def gradient_echo(ppm: float, name: str, definitions: dict[str, object]) -> str:
    """A pulse at so many ppm off resonance, and a line."""
    sequence = pp.Sequence()
    pulse = pp.make_block_pulse(np.pi / 2, duration=1e-3, use="excitation")
    pulse.freq_ppm = ppm
    sequence.add_block(pulse)
    sequence.add_block(pp.make_trapezoid("x", flat_area=SIDE / FOV, flat_time=6.4e-4), pp.make_adc(SIDE, dwell=4e-5))
    write(sequence, name, definitions)
    return name


def test_terms_in_ppm_need_a_larmor_frequency_and_are_played_at_it(here: Path) -> None:
    unsaid = gradient_echo(1.0, "unsaid.seq", {})
    said = refusal("simulator=bloch", f"sequence={unsaid}", *TUBES, "tracking=off")
    assert "which neither its definitions nor phantom 'tubes' tell; add B0 [T] or FREQ [MHz]" in said
    phantom = spinloom.build_phantom({"name": "tubes", "matrix": 16})
    on, off = (
        spinloom.simulate(sequence=gradient_echo(ppm, f"{ppm}.seq", {"B0": 3.0}), phantom=phantom).samples.abs().max()
        for ppm in (0.0, 4.0)
    )
    nutation, offset = 250.0, 4e-6 * 3.0 * 42.577478518e6
    effective = math.hypot(nutation, offset)
    turn, sine, cosine = 2 * math.pi * effective * 1e-3, nutation / effective, offset / effective
    tipped = sine * math.hypot(math.sin(turn), cosine * (1 - math.cos(turn)))
    assert float(off) == pytest.approx(tipped * float(on), rel=0.01)  # relaxation during a pulse of 1 ms, T2 from 25 ms


def test_a_preparation_that_cannot_be_told_from_its_readout_is_refused(here: Path) -> None:
    built = spinloom.build_sequence("cest_epi", matrix=16, esp_ms=0.5, pulses=1, pulse_ms=10, largest_ppm=1, step_ppm=1)
    text = built.content.decode()
    Path("unsaid.seq").write_text(text.replace(" s\n", " u\n").replace(" e\n", " u\n"))
    said = refusal("simulator=cest_epi", "sequence=unsaid.seq", *BRAIN, "tracking=off")
    assert "unsaid.seq does not say what its pulses are for, so that its preparation cannot be told from" in said


@pytest.mark.parametrize(
    ("name", "change", "sentence"),
    [
        ("t2", lambda t2: np.where(t2 > 0.1, 0.0, t2), "Map t2 of phantom 'maps' is not positive in"),
        ("b1", lambda b1: np.full_like(b1, np.nan), "Map b1 of phantom 'maps' holds"),
        ("t1", lambda t1: t1[:-1], "t1.nii.gz"),
        ("t1", lambda t1: 1000 * t1, "is in seconds, so divide milliseconds by 1000"),
        ("m0", lambda m0: -m0, "Map m0 of phantom 'maps' is negative in"),
    ],
    ids=["T2 of zero", "NaN", "other shape", "milliseconds", "negative M0"],
)
def test_maps_that_cannot_be_are_refused_in_a_sentence(name: str, change: object, sentence: str, here: Path) -> None:
    import nibabel

    assert CliRunner().invoke(root, ["phantom", "make", "tubes", "matrix=16", "b1=1.1", "-o", "maps"]).exit_code == 0
    path = Path("maps") / f"{name}.nii.gz"
    image = nibabel.load(path)
    assert callable(change)
    changed = change(np.asarray(image.dataobj))
    nibabel.save(nibabel.Nifti1Image(changed.astype(np.float32), image.affine), path)
    assert sentence in refusal(*QUICK, "phantom=maps")


def test_what_a_run_was_is_in_its_record(image_run: tuple[Path, str]) -> None:
    record = json.loads((image_run[0] / "run.json").read_text())
    assert record["params"]["phantom"] == "tubes"
    assert record["params"]["simulator.noise"] == 0.01
    assert record["metrics"].keys() == {"kspace_max", "kspace_rms", "image_max", "image_mean"}
    assert record["timings"].keys() == {"read", "simulate", "reconstruct", "write", "draw"}
