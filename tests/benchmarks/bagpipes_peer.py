"""bagpipes 1.3.6 (Carnall et al. 2018) as a peer of the SED benchmarks, in an environment of its own.

`ask` is called by a benchmark; it runs this same file with the interpreter of the other environment, where `answer`
computes photometry with bagpipes and, if there is photometry to fit, a posterior with bagpipes and nautilus.

What is set so that model and priors are those of `clumpscope.sed`: exponential history, Calzetti dust that dims birth
clouds as everything else (`eta` 1), dust emission with its default parameters (those of ours), nebular emission to
25 Myr (`t_bc`; bagpipes' own default is 10 Myr), the Universe's age as the oldest age. What stays different: bagpipes
sums the stars in age bins of 0.1 dex, samples spectra at R = 100 (lines fall into single pixels), interpolates stars
linearly in Z (we in log Z) and nebular emission linearly in Z and log U (we its logarithm in log Z and log U), keeps the Cloudy models that lost their ionising photons, and tabulates the same IGM
in steps of 1 Angstrom and 0.01 in redshift.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

HOW_TO = """{python} cannot import bagpipes 1.3.6 and nautilus. Make an environment (300 MB), and name its interpreter:
    python3.11 -m venv DIR && DIR/bin/pip install bagpipes==1.3.6 nautilus-sampler    # then: --python DIR/bin/python"""

_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
_COLUMNS = ("log_mass_formed", "log_age_yr", "log_z_zsun", "a_v", "log_u", "log_tau_yr")


def check(python: str) -> None:
    """Stop with instructions if the interpreter has no bagpipes; its first import makes an IGM table."""
    test = "import bagpipes, nautilus, importlib.metadata as m; assert m.version('bagpipes') == '1.3.6'"
    try:
        done = subprocess.run([python, "-c", test], capture_output=True, cwd=tempfile.gettempdir())
    except OSError as error:
        sys.exit(f"{error}\n" + HOW_TO.format(python=python))
    if done.returncode:
        sys.exit(HOW_TO.format(python=python))


def ask(python: str, request: dict, timeout_s: float | None = None) -> dict:
    """Have bagpipes answer a request in a process of one thread.

    Parameters
    ----------
    python : str
        Interpreter that has bagpipes.
    request : dict
        ``redshift``; ``curves``: names and (wavelength [Angstrom], transmission) of the filters; ``theta``: rows of
        log_mass_formed, log_age_yr, log_z_zsun, a_v, log_u, log_tau_yr. For a posterior also ``flux_njy``,
        ``error_njy``, ``priors`` ("paper" or "log"), ``bounds`` of the parameters by name, and ``n_live``.
    timeout_s : float, optional
        Raise `subprocess.TimeoutExpired` after this time.

    Returns
    -------
    dict
        ``flux_njy`` of every row of theta and ``model_seconds`` (median time of one); for a posterior also its
        ``samples`` by parameter, ``seconds``, of which ``setup_seconds`` to build the model, ``wall_seconds``, the number
        of ``calls`` of the likelihood, ``call_seconds`` (mean), and nautilus' effective sample size ``n_effective``. Times
        are those of the processor, but for ``wall_seconds``.
    """
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for name, curve in request["curves"].items():
            paths.append(f"{folder}/{name}.txt")
            np.savetxt(paths[-1], np.column_stack(curve))
        question, reply = Path(folder, "request.json"), Path(folder, "reply.json")
        question.write_text(json.dumps({**request, "curves": paths}))
        subprocess.run(
            [python, __file__, str(question), str(reply)],
            cwd=folder,
            env={**os.environ, **_ONE_THREAD},
            stdout=subprocess.DEVNULL,
            timeout=timeout_s,
            check=True,
        )
        return json.loads(reply.read_text())


def components(redshift: float, theta: list[float]) -> dict:
    """One model in bagpipes' terms."""
    x = dict(zip(_COLUMNS, theta, strict=True))
    return {
        "redshift": redshift,
        "t_bc": 0.025,
        "exponential": {
            "age": 10.0 ** (x["log_age_yr"] - 9.0),
            "tau": 10.0 ** (x["log_tau_yr"] - 9.0),
            "massformed": x["log_mass_formed"],
            "metallicity": 10.0 ** x["log_z_zsun"],
        },
        "nebular": {"logU": x["log_u"]},
        "dust": {"type": "Calzetti", "Av": x["a_v"], "eta": 1.0},
    }


def instructions(redshift: float, bounds: dict[str, list[float]], priors: str) -> dict:
    """The priors in bagpipes' terms."""
    low, high = ([bounds[name][k] for name in _COLUMNS] for k in (0, 1))
    fit, top = components(redshift, low), components(redshift, high)
    for part in ("exponential", "nebular", "dust"):
        for name, value in fit[part].items():
            if name not in ("type", "eta"):
                fit[part][name] = (value, top[part][name])
    fit["exponential"]["metallicity_prior"] = "log_10"
    for name in ("age", "tau"):
        fit["exponential"][f"{name}_prior"] = {"paper": "uniform", "log": "log_10"}[priors]
    return fit


def answer(request: dict) -> dict:
    """Photometry and posterior by bagpipes; see `ask`."""
    import bagpipes

    redshift, curves = request["redshift"], request["curves"]
    began = time.process_time()
    model = bagpipes.model_galaxy(
        components(redshift, request["theta"][0]), filt_list=curves, phot_units="mujy"
    )
    setup, fluxes, times = time.process_time() - began, [], []
    for theta in request["theta"]:
        x = components(redshift, theta)
        began = time.process_time()
        model.update(x)
        times.append(time.process_time() - began)
        fluxes.append((1e3 * model.photometry).tolist())
    reply = {"flux_njy": fluxes, "model_seconds": float(np.median(times))}
    if "flux_njy" not in request:
        return reply

    # Microjansky throughout, as the models above: bagpipes converts with a rounded speed of light.
    photometry = 1e-3 * np.column_stack([request["flux_njy"], request["error_njy"]])
    galaxy = bagpipes.galaxy(
        "1", lambda _: photometry, spectrum_exists=False, filt_list=curves, out_units="mujy"
    )
    fit = bagpipes.fit(galaxy, instructions(redshift, request["bounds"], request["priors"]))
    lnlike, calls = fit.fitted_model.lnlike, []

    def counted(x: np.ndarray) -> float:
        began = time.process_time()
        value = lnlike(x)
        calls.append(time.process_time() - began)
        return value

    fit.fitted_model.lnlike = counted
    began, began_cpu = time.perf_counter(), time.process_time()
    fit.fit(sampler="nautilus", n_live=request["n_live"], pool=1)
    wall, seconds = time.perf_counter() - began, time.process_time() - began_cpu
    in_gyr = {"log_age_yr": "exponential:age", "log_tau_yr": "exponential:tau"}
    x = dict(zip(fit.fitted_model.params, fit.results["samples2d"].T, strict=True))
    samples = {name: np.log10(x[key]) + 9.0 for name, key in in_gyr.items()}
    samples["log_mass_formed"] = x["exponential:massformed"]
    samples["log_z_zsun"] = np.log10(x["exponential:metallicity"])
    samples["a_v"], samples["log_u"] = x["dust:Av"], x["nebular:logU"]
    return {
        **reply,
        "samples": {name: values.tolist() for name, values in samples.items()},
        "seconds": seconds,
        "wall_seconds": wall,
        "setup_seconds": setup,
        "calls": len(calls),
        "n_effective": float(fit.results["lnz_err"] ** -2.0),  # this is how bagpipes derives that error
        "call_seconds": float(np.mean(calls[1:])),  # the first builds the model
    }


if __name__ == "__main__":
    question, reply = map(Path, sys.argv[1:])
    reply.write_text(json.dumps(answer(json.loads(question.read_text()))))
