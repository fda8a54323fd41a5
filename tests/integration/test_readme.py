"""Every command and line of code of the README is run."""

import re
import shutil
import subprocess
import sys

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table
from astropy.wcs import WCS
from conftest import ROOT

BEST = """\
runmode
  reference 3 10.0 -30.0
  end
potentiel O1
  profil 81
  x_centre 1.5
  y_centre -0.5
  ellipticite 0.3
  angle_pos 40.0
  core_radius 4.0
  cut_radius 200.0
  v_disp 800.0
  z_lens 0.4
  end
fini
"""
BAYES = """\
#Nsample
#ln(Lhood)
#O1 : sigma (km/s)
#Chi2
1 -5.0 800.0 10.0
2 -6.0 810.0 12.0
"""
README = (ROOT / "README.md").read_text()


def blocks(language):
    return re.findall(rf"^ *```{language}\n(.*?)^ *```", README, flags=re.S | re.M)


def commands():
    lines = [line.split("#")[0].strip() for block in blocks("console") for line in block.splitlines()]
    inline = re.findall(r"`(snakemake [^`]+)`", README)
    return [line for line in dict.fromkeys([*lines, *inline]) if line]


def test_make_targets_exist():
    makefile = (ROOT / "Makefile").read_text()
    targets = [line.split()[1] for line in commands() if line.startswith("make ")]
    assert targets == ["run", "test"]
    for target, environment in zip(targets, ("env", "dev"), strict=True):
        assert f"\n{target}: {environment}" in makefile
        planned = subprocess.run(["make", "--dry-run", target], cwd=ROOT, capture_output=True, text=True)
        assert planned.returncode == 0, planned.stderr


def link_checkout(folder):
    for name in ("Snakefile", "rules", "workflow", "config", "resources", "profiles", "envs"):
        (folder / name).symlink_to(ROOT / name)


PLANNED = [line for line in commands() if line.startswith("snakemake") and "results/my_field" not in line]


@pytest.mark.parametrize("command", PLANNED)
def test_snakemake_commands(command, tmp_path):
    """Planned, not executed: `make run` and the other integration tests execute what they plan."""
    link_checkout(tmp_path)
    shutil.copy(ROOT / "config/config.yaml", tmp_path / "my_field.yaml")
    words = command.replace("--force build_ssp_bc03", "--forcerun build_ssp_bc03 build_ssp_bc03").split()[1:]
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", *words, "--dry-run"], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]


def test_library_lines(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, text in {"best.par": BEST, "bayes.dat": BAYES}.items():
        (tmp_path / name).write_text(text)
    psf = np.exp(-0.5 * np.add.outer((np.arange(21) - 10) ** 2, (np.arange(21) - 10) ** 2) / 1.3**2)
    psf /= psf.sum()
    image = np.random.default_rng(1).normal(scale=0.01, size=(41, 41))
    image[10:31, 10:31] += 50 * psf
    names = {
        "ra": np.array([10.002]), "dec": np.array([-30.001]), "psf": psf, "image": image,
        "error": np.full((41, 41), 0.01), "x": [20.0], "y": [20.0],
        "filters": ["F115W", "F150W", "F200W", "F277W", "F356W", "F444W"],
        "flux_njy": np.array([10.0, 12.0, 13.0, 14.0, 14.0, 13.0]), "error_njy": np.full(6, 0.5),
    }  # fmt: skip
    (code,) = blocks("python")
    exec(code, names)
    assert np.isfinite(names["mu"]).all()
    assert names["post"].converged and names["post"].samples["log_mass_formed"].size >= 1000
    assert abs(names["table"]["flux"][0] - 50) < 1


def write_mosaic(folder, n=141, scale=0.04):
    """A galaxy of three clumps in one filter, its error map, PSF and catalogue, named as archives name them."""
    rows, columns = np.indices((n, n))
    image = np.random.default_rng(2).normal(scale=0.02, size=(n, n))
    for x, y, flux in ((70.2, 70.4, 40.0), (81.0, 64.5, 25.0), (61.3, 80.1, 20.0)):
        image += flux * np.exp(-0.5 * ((columns - x) ** 2 + (rows - y) ** 2) / 2.0**2) / (2 * np.pi * 2.0**2)
    psf = np.exp(-0.5 * ((np.indices((41, 41)) - 20) ** 2).sum(axis=0) / 1.5**2)
    wcs = WCS(naxis=2)
    wcs.wcs.ctype, wcs.wcs.crval = ["RA---TAN", "DEC--TAN"], [150.0, 2.0]
    wcs.wcs.crpix, wcs.wcs.cdelt = [(n + 1) / 2] * 2, [-scale / 3600, scale / 3600]
    header = wcs.to_header()
    header["BUNIT"] = "10.0*nanoJansky"
    folder.mkdir()
    planes = {"sci": image, "err": np.full((n, n), 0.02)}
    for key, data in planes.items():
        fits.PrimaryHDU(data.astype(np.float32), header).writeto(folder / f"a-f200w-clear_drc_{key}.fits")
    fits.PrimaryHDU(psf / psf.sum()).writeto(folder / "f200w_psf.fits")
    (folder / "galaxies.csv").write_text("id,ra,dec,z\n1,150.0,2.0,1.5\n")


def test_own_field_from_nothing_to_residuals(tmp_path):
    """The commands of the section, as they stand; the whole run is only planned."""
    link_checkout(tmp_path)
    write_mosaic(tmp_path / "my_field")
    (block,) = (block for block in blocks("console") if "clumpscope init" in block)
    lines = [line.split("#")[0].split() for line in block.splitlines()]
    assert [line[0] for line in lines] == ["clumpscope"] * 2 + ["snakemake"] * 3
    lines[-1].append("--dry-run")
    for program, *words in lines:
        done = subprocess.run(
            [sys.executable, "-m", program, *words], cwd=tmp_path, capture_output=True, text=True
        )
        assert done.returncode == 0, (words, done.stdout[-3000:] + done.stderr[-3000:])
    assert (tmp_path / "my_field.png").stat().st_size > 5000
    assert (tmp_path / "results/my_field/galaxies/1/residuals.png").stat().st_size > 5000
    clumps = Table.read(tmp_path / "results/my_field/galaxies/1/photometry.ecsv")
    assert len(clumps) == 3
    np.testing.assert_allclose(sorted(clumps["flux_F200W_njy"]), [200.0, 250.0, 400.0], rtol=0.05)
