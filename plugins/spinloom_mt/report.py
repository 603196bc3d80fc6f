"""What an MT run reports of its own: the transfer ratio under each power, and the saturation rate W that made it."""

from __future__ import annotations

from spinloom import Block, MtSeries, Picture, Section, Table, Tissue, plot_curves, span, svg


def mt_section(series: MtSeries, tissue: Tissue) -> Section:
    """The section of a run: of a power series curves and a table by offset, of a schedule a table by measurement."""
    blocks = _power_series(series, tissue) if series.is_power_series else (_schedule(series, tissue),)
    return Section("Magnetisation transfer", blocks)


def _power_series(series: MtSeries, tissue: Tissue) -> tuple[Block, ...]:
    curves = {
        f"{power:.3g} µT": (series.offset_hz[members] / 1e3, 100 * series.mtr[..., members])
        for power, members in series.powers()
    }
    figure = plot_curves(curves, "MTR  1 \N{MINUS SIGN} Mz / M₀  [%]", "Saturation offset [kHz]", logarithmic=True)
    told = "Magnetisation transfer ratio against offset, a curve for each B1"
    caption = "B1 is the root mean square while RF is on."
    return Picture(svg(figure), caption, told), *(_rates(series, pool) for pool in enumerate(_names(tissue)))


def _rates(series: MtSeries, pool: tuple[int, str]) -> Table:
    """W of one pool, a row an offset and a column a power."""
    number, name = pool
    cells: dict[str, dict[str, str]] = {}
    powers = list(series.powers())
    for power, members in powers:
        for member in members:
            offset = f"{series.offset_hz[member] / 1e3:.4g}"
            cells.setdefault(offset, {})[f"{power:.3g} µT"] = span(series.rates[number, ..., member], ".3g")
    names = [f"{power:.3g} µT" for power, _ in powers]
    rows = tuple((offset, *(row.get(power, "") for power in names)) for offset, row in cells.items())
    columns = ("Offset [kHz]", *(f"W at {power}" for power in names))
    return Table(columns, rows, f"Saturation rate W = w1² L of pool '{name}' [1/s].")


def _schedule(series: MtSeries, tissue: Tissue) -> Table:
    """One row a measurement."""
    names = _names(tissue)
    rows = tuple(
        (
            f"{series.measurement[place]}",
            f"{series.offset_ppm[place]:.4g}",
            f"{series.b1_ut[place]:.3g}",
            *(span(series.rates[pool, ..., place], ".3g") for pool in range(len(names))),
            span(series.mz[..., place], ".4f"),
        )
        for place in range(series.b1_ut.size)
    )
    columns = ("Measurement", "Offset [ppm]", "B1 RMS [µT]", *(f"W of {name} [1/s]" for name in names), "Mz")
    return Table(columns, rows, "Saturation rate W = w1² L of each semisolid pool, and Mz relative to equilibrium.")


def _names(tissue: Tissue) -> list[str]:
    return [pool.name for pool in tissue.semisolid]
