"""Texts of small Lenstool models for tests."""

from pathlib import Path

HALO = """potentiel O1
    profil        81
    x_centre      1.5
    y_centre      -2.0
    ellipticite   0.30
    angle_pos     25.0
    core_radius   5.0
    cut_radius    200.0
    v_disp        900.0
    z_lens        0.4
    end
"""
GALAXY = """potentiel 7
    profil        81
    x_centre      12.0
    y_centre      8.0
    ellipticite   0.1
    angle_pos     -40.0
    core_radius   0.05
    cut_radius    4.0
    v_disp        120.0
    mag           19.0
    z_lens        0.4
    end
"""
SHEAR = """potentiel O2
    profil        14
    gamma         0.05
    angle_pos     30.0
    z_lens        0.4
    end
"""
COSMOLOGY = """cosmologie
    model   1
    H0      70.0
    omegaM  0.3
    omegaX  0.7
    end
"""


def parameter_file(
    folder: Path,
    *sections: str,
    name: str = "best.par",
    reference: str = "3 40.0 -1.5",
    closing: str = "fini",
) -> Path:
    """Write a parameter file of these sections."""
    path = folder / name
    text = (
        f"#a model\nrunmode\n    reference {reference}\n    end\n" + "".join(sections) + COSMOLOGY + closing
    )
    path.write_text(text + "\n")
    return path


def samples_file(folder: Path, columns: list[str], rows: list[list[float]]) -> Path:
    """Write posterior samples with these columns between the usual ones."""
    path = folder / "bayes.dat"
    lines = [f"#{name}" for name in ("Nsample", "ln(Lhood)", *columns, "Chi2")]
    lines += [" ".join(map(str, [number, -3.0, *row, 6.0])) for number, row in enumerate(rows, start=1)]
    path.write_text("\n".join(lines) + "\n")
    return path
