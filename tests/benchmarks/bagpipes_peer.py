"""bagpipes 1.3.6 (Carnall et al. 2018) as a peer of the SED benchmarks, in an environment of its own.

`Bagpipes` runs this same file with the interpreter of the other environment, with one thread, and talks to it in lines
of JSON: there `photometry` computes models with bagpipes, and `posterior` fits with bagpipes and nautilus.

What is set so that model and priors are those of `clumpscope.sed`: exponential history, Calzetti dust that dims birth
clouds as everything else (`eta` 1), dust emission with its default parameters (those of ours), nebular emission to
25 Myr (`t_bc`; bagpipes' own default is 10 Myr), the Universe's age as the oldest age. What stays different: bagpipes
sums the stars in age bins of 0.1 dex, samples spectra at R = 100 (lines fall into single pixels), interpolates stars
linearly in Z (we in log Z) and nebular emission linearly in Z and log U (we its logarithm in log Z and log U), keeps the Cloudy models that lost their ionising photons, and tabulates the same IGM
in steps of 1 Angstrom and 0.01 in redshift.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time

import numpy as np

HOW_TO = """{python} cannot import bagpipes 1.3.6 and nautilus. Make an environment (300 MB), and name its interpreter:
    python3.11 -m venv DIR && DIR/bin/pip install bagpipes==1.3.6 nautilus-sampler    # then: --python DIR/bin/python"""

_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


def check(python: str) -> None:
    """Stop with instructions if the interpreter has no bagpipes; its first import makes an IGM table."""
    test = "import bagpipes, nautilus, importlib.metadata as m; assert m.version('bagpipes') == '1.3.6'"
    try:
        done = subprocess.run([python, "-c", test], capture_output=True, cwd=tempfile.gettempdir())
    except OSError as error:
        sys.exit(f"{error}\n" + HOW_TO.format(python=python))
    if done.returncode:
        sys.exit(HOW_TO.format(python=python))


class Bagpipes:
    """bagpipes at one redshift, in one set of filters; a photometry model as `clumpscope.sed.Fitter` takes them.

    Parameters
    ----------
    python : str
        Interpreter that has bagpipes.
    redshift : float
    curves : mapping
        Wavelength [Angstrom] and transmission by name of the filter.
    timeout_s : float, optional
        End the process after this time; a request then raises `TimeoutError`.

    Attributes
    ----------
    model_seconds : float
        Median processor time of one model in the last request for fluxes.
    """

    parameters = ("log_mass_formed", "log_age_yr", "log_z_zsun", "a_v", "log_u", "log_tau_yr")

    def __init__(
        self,
        python: str,
        redshift: float,
        curves: dict[str, tuple[np.ndarray, np.ndarray]],
        timeout_s: float | None = None,
    ) -> None:
        self._folder = tempfile.TemporaryDirectory()
        paths = [f"{self._folder.name}/{name}.txt" for name in curves]
        for path, curve in zip(paths, curves.values(), strict=True):
            np.savetxt(path, np.column_stack(curve))
        self._process = subprocess.Popen(
            [python, __file__, str(redshift), *paths],
            cwd=self._folder.name,
            env={**os.environ, **_ONE_THREAD},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._timer = threading.Timer(timeout_s or threading.TIMEOUT_MAX, self._process.kill)
        self._timer.daemon = True
        self._timer.start()

    def __enter__(self) -> "Bagpipes":
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        self._process.kill()
        self._process.communicate()
        self._folder.cleanup()

    def _ask(self, request: dict) -> dict:
        try:
            print(json.dumps(request), file=self._process.stdin, flush=True)
            return json.loads(self._process.stdout.readline())
        except (BrokenPipeError, json.JSONDecodeError) as error:
            if self._process.wait() == -signal.SIGKILL:
                raise TimeoutError("bagpipes was stopped") from error
            raise

    def fluxes(self, theta: np.ndarray) -> np.ndarray:
        """Flux densities (n, n_bands) of models [nJy]; columns of theta as in `parameters`."""
        reply = self._ask({"theta": np.asarray(theta).tolist()})
        self.model_seconds = reply["model_seconds"]
        return np.array(reply["flux_njy"])

    def derived(self, _: np.ndarray) -> dict[str, np.ndarray]:
        """No further quantities."""
        return {}

    def fit(
        self,
        flux_njy: np.ndarray,
        error_njy: np.ndarray,
        priors: str,
        bounds: dict[str, tuple[float, float]],
        n_live: int,
    ) -> dict:
        """Posterior by bagpipes and nautilus.

        Returns
        -------
        dict
            ``samples`` by parameter; ``seconds`` of processor time, of which ``setup_seconds`` to build the model, and
            ``wall_seconds``; number of ``calls`` of the likelihood, ``call_seconds`` (mean processor time), and nautilus'
            effective sample size ``n_effective``.
        """
        data = {"flux_njy": flux_njy.tolist(), "error_njy": error_njy.tolist()}
        return self._ask({**data, "priors": priors, "bounds": bounds, "n_live": n_live})


def components(redshift: float, theta: list[float]) -> dict:
    """One model in bagpipes' terms."""
    x = dict(zip(Bagpipes.parameters, theta, strict=True))
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
    low, high = ([bounds[name][k] for name in Bagpipes.parameters] for k in (0, 1))
    fit, top = components(redshift, low), components(redshift, high)
    for part in ("exponential", "nebular", "dust"):
        for name, value in fit[part].items():
            if name not in ("type", "eta"):
                fit[part][name] = (value, top[part][name])
    fit["exponential"]["metallicity_prior"] = "log_10"
    for name in ("age", "tau"):
        fit["exponential"][f"{name}_prior"] = {"paper": "uniform", "log": "log_10"}[priors]
    return fit


def photometry(model: object, redshift: float, thetas: list[list[float]]) -> dict:
    """Photometry of models; see `Bagpipes.fluxes`."""
    fluxes, times = [], []
    for theta in thetas:
        x = components(redshift, theta)
        began = time.process_time()
        model.update(x)
        times.append(time.process_time() - began)
        fluxes.append((1e3 * model.photometry).tolist())
    return {"flux_njy": fluxes, "model_seconds": float(np.median(times))}


def posterior(redshift: float, curves: list[str], request: dict) -> dict:
    """Posterior of one object; see `Bagpipes.fit`."""
    import bagpipes

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
        "samples": {name: values.tolist() for name, values in samples.items()},
        "seconds": seconds,
        "wall_seconds": wall,
        "calls": len(calls),
        "n_effective": float(fit.results["lnz_err"] ** -2.0),  # this is how bagpipes derives that error
        "call_seconds": float(np.mean(calls[1:])),  # the first builds the model
    }


def serve(redshift: float, curves: list[str]) -> None:
    """Answer requests from standard input, line by line."""
    answers = sys.stdout
    # bagpipes prints: only answers go where the asker listens.
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
        import bagpipes

        middle = components(redshift, [6.0, 7.0, -0.5, 0.5, -2.5, 8.0])
        began = time.process_time()
        model = bagpipes.model_galaxy(middle, filt_list=curves, phot_units="mujy")
        setup = time.process_time() - began
        for line in sys.stdin:
            request = json.loads(line)
            if "theta" in request:
                reply = photometry(model, redshift, request["theta"])
            else:
                reply = {**posterior(redshift, curves, request), "setup_seconds": setup}
            print(json.dumps(reply), file=answers, flush=True)


if __name__ == "__main__":
    serve(float(sys.argv[1]), sys.argv[2:])
