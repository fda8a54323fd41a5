"""Fit the SED of one object, or of many that share redshift and filters.

>>> from clumpscope import sed
>>> post = sed.fit_posterior(flux_njy, error_njy, ["F115W", "F150W", ...], redshift=1.4)  # doctest: +SKIP
>>> post.samples["log_mass"], post.converged  # doctest: +SKIP

The mass is integrated out, since fluxes are linear in it. One sweep of the prior serves all objects;
each is then explored (`exploration`). Where the weights of the explored points cannot be trusted, ensembles sample it
(`sampler`), and nested sampling (`nested`) what these do not settle.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from ...errors import InputError
from ...filters import get_filter
from ...flags import bit
from ...fluxes import as_njy
from ...randomness import generator
from ..library.ssp import SSPLibrary, load_library
from ..models.dust_emission import dust_emission_bands
from ..models.photometry import PhotometryModel
from ..models.sfh import get_sfh
from .exploration import explore, log_unit_gaussian
from .mass import best_mass, draw_mass
from .mean_age import MeanAge
from .nested import run_nested
from .observation import Observation, check_common, check_errors, error_floors, limit_flux_njy
from .posterior import SAMPLE_NAMES, Posterior
from .priors import check_reach, default_bounds, make_priors
from .quality import quality_flags
from .sampler import from_weights, run_ensembles
from .settings import DUST_EMISSION, FitSettings
from .sweep import MASS, PhotometryLike, Sweep, Target

__all__ = ["Fitter", "fit_many", "fit_posterior"]

# Draws of a posterior that its weighted points are taken for.
_DRAWN = 4000


class Fitter:
    """The fit of objects at one redshift, in one set of filters, with one star-formation history.

    Parameters
    ----------
    filters : sequence of str
        Filter names, in the order of the fluxes.
    redshift : float
    settings : FitSettings
    library : str or SSPLibrary
        Name of the SSP library, or a loaded one.
    model : PhotometryLike, optional
        A model to use instead of the library's.

    Raises
    ------
    InputError
        If a filter, the SFH, a prior or a setting is not usable.
    """

    def __init__(
        self,
        filters: Sequence[str],
        redshift: float,
        settings: FitSettings,
        library: SSPLibrary | str = "bc03",
        model: PhotometryLike | None = None,
    ) -> None:
        if not len(filters):
            raise InputError("filters", "none", "at least one filter")
        for name in filters:
            get_filter(name)
        if not (isinstance(redshift, int | float | np.number) and 0.0 < redshift < np.inf):
            raise InputError("redshift", repr(redshift), "one positive number")
        if settings.dust_emission not in DUST_EMISSION:
            raise InputError("sed.dust_emission", repr(settings.dust_emission), " or ".join(DUST_EMISSION))
        self.filters, self.redshift, self.settings = tuple(filters), float(redshift), settings
        self.library_digest = "none"
        if model is None:
            if isinstance(library, str):
                library = load_library(library)
            self.library_digest = library.checksum or "unwritten"
            emitting = settings.dust_emission == "emission"
            model = PhotometryModel(
                library, self.filters, self.redshift, settings.sfh, settings.nebular, emitting
            )
        self._masked = np.zeros(len(filters), dtype=bool)
        if settings.dust_emission == "mask":
            self._masked = dust_emission_bands(self.filters, self.redshift)
        tau_yr = get_sfh(settings.sfh).tau_yr
        self._constants = {} if tau_yr is None else {"log_tau_yr": float(np.log10(tau_yr))}
        self.error_floor = error_floors(settings.error_floor, filters)
        self.limit_njy = limit_flux_njy(settings.limits, settings.mag_limit_ab, filters)
        self._broad = np.array([get_filter(name).kind == "broad" for name in filters])
        fixed = {name: value for name, value in settings.fixed.items() if name in model.parameters}
        free = tuple(name for name in model.parameters if name != MASS and name not in fixed)
        if not free:
            raise InputError("sed.fixed", "every parameter", "at least one to fit besides the mass")
        bounds = {name: tuple(pair) for name, pair in settings.bounds.items()}
        check_reach(bounds, settings.fixed, self.redshift, getattr(model, "reach", {}))
        log_mass = bounds.pop(MASS, default_bounds(redshift)[MASS])
        if not log_mass[0] < log_mass[1]:
            raise InputError(f"sed.bounds.{MASS}", str(list(log_mass)), "low < high")
        priors = make_priors(free, redshift, settings.priors, bounds)
        self.target = Target(model, priors, fixed, (float(log_mass[0]), float(log_mass[1])))
        # Where the age and a time scale are free, the mean age is known better than either.
        both_free = {"log_age_yr", "log_tau_yr"} <= set(free)
        self._mean_age = MeanAge(priors, fixed) if both_free else None
        self._sweep: Sweep | None = None

    @property
    def sweep(self) -> Sweep:
        """The shared sweep, made when first needed."""
        if self._sweep is None:
            self._sweep = Sweep(self.target, self.settings.seed, self.settings.sweep_log2)
        return self._sweep

    def digest(
        self,
        identity: str,
        flux_njy: np.ndarray,
        error_njy: np.ndarray,
        common_njy: np.ndarray | None = None,
    ) -> str:
        """Hash of what the posterior of one object depends on."""
        return self.settings.digest(
            identity, flux_njy, error_njy, self.filters, self.redshift, self.library_digest, common_njy
        )

    def fit(
        self,
        flux_njy: np.ndarray,
        error_njy: np.ndarray,
        identity: str = "",
        common_njy: np.ndarray | None = None,
    ) -> Posterior:
        """Posterior of one object (see `fit_posterior`); what cannot be fitted is flagged, not raised."""
        fitted_njy = np.where(self._masked, np.nan, np.asarray(flux_njy, dtype=float))
        observation = Observation.prepare(fitted_njy, error_njy, self.error_floor, self.limit_njy, common_njy)
        rng = generator(self.settings.seed, "sed", self.settings.sfh, identity)
        bright = int((self._broad & (observation.snr > 3.0)).sum())
        facts = {
            "id": str(identity),
            "filters": self.filters,
            "flux_njy": observation.flux_njy,
            "error_njy": observation.error_njy,
            "data_njy": observation.data_njy,
            "sigma_njy": observation.sigma_njy,
            "redshift": self.redshift,
            "n_bands": observation.n_bands,
            "n_bands_snr3": bright,
            "hash": self.digest(identity, flux_njy, error_njy, common_njy),
            "settings": self.settings.describe(),
        }
        # Beyond the Lyman limit no model has any light: such bands alone say nothing of one.
        if not (observation.used & self.sweep.flux.any(axis=0)).any():
            return self._empty(facts)
        if common_njy is not None:
            observation = observation.relative_to(self.sweep.nearest(observation.alone()))

        def at(v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            """Points y of the prior at the coordinates of the exploration, and ln |dy / dv|."""
            return (v, np.zeros(len(v))) if self._mean_age is None else self._mean_age.inverse(v)

        def log_prob_and_mass(v: np.ndarray) -> np.ndarray:
            y, log_ratio = at(v)
            found = self.target.log_prob_and_mass(observation, y)
            found[:, 0] += log_ratio
            return found

        def log_sweep(v: np.ndarray) -> np.ndarray:
            y, log_ratio = at(v)
            return log_unit_gaussian(y) + log_ratio

        y, log_prob_y, n_drawn = self.sweep.search(observation)
        v = y if self._mean_age is None else self._mean_age.forward(y)
        exploration = explore(
            lambda v: log_prob_and_mass(v)[:, 0],
            v,
            log_prob_y + at(v)[1],
            n_drawn,
            rng,
            self.settings.n_effective,
            log_sweep,
        )
        if exploration.settled:
            chains = from_weights(exploration.y, exploration.weights, _DRAWN, rng, "importance")
        else:
            chains = run_ensembles(
                log_prob_and_mass, exploration, rng, self.settings.n_effective, self.settings.rhat
            )
        chains = replace(chains, y=at(chains.y)[0])
        n_calls = exploration.n_calls + chains.n_calls
        if not chains.converged and self.settings.nested:
            chains = run_nested(lambda y: self.target.log_prob(observation, y), self.target.priors.n_dim, rng)
            n_calls += chains.n_calls
        y = chains.y[np.linspace(0, len(chains.y) - 1, self.settings.draws).round().astype(int)]
        samples, model_band_njy = self._samples(observation, y, rng)
        highest = at(exploration.y[np.argsort(-exploration.log_prob, kind="stable")[:200]])[0]
        best, chi2, model_njy = self._best(observation, chains.y, highest, rng)
        flags = quality_flags(observation.n_bands, bright, self.target.n_free, chi2)
        if not chains.converged:
            flags.append("not_converged")
        return Posterior(
            **facts,
            samples=samples,
            converged=chains.converged,
            rhat=chains.rhat,
            n_effective=chains.n_effective,
            chi2=chi2,
            best=best,
            model_njy=model_njy,
            model_p16_njy=model_band_njy[0],
            model_p84_njy=model_band_njy[1],
            sampler=chains.sampler,
            n_calls=n_calls,
            flags=bit(*flags),
        )

    def _named(self, x: np.ndarray, log_mass: np.ndarray) -> dict[str, np.ndarray]:
        theta = self.target.theta(x, log_mass)
        named = dict(zip(self.target.model.parameters, theta.T, strict=True))
        constants = {name: np.full(len(theta), value) for name, value in self._constants.items()}
        derived = self.target.model.derived(theta)
        return {**named, **constants, **{name: derived[name] for name in SAMPLE_NAMES if name in derived}}

    def _samples(
        self, observation: Observation, y: np.ndarray, rng: np.random.Generator
    ) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """Draws of every quantity, the mass drawn given the other parameters; and 16 and 84 % of the fluxes.

        Draws are in single precision, as they are stored, so that stored and fresh posteriors are the same.
        """
        x = self.target.priors.parameters(y)
        flux = self.target.templates(x)
        a, b, _ = observation.projections(flux, flux * flux)
        log_mass = draw_mass(a, b, self.target.log_mass, rng)
        if observation.grey is not None:
            factor = observation.draw_grey(flux * 10.0 ** log_mass[:, None], rng)
            log_mass = np.clip(log_mass - factor / np.log(10.0), *self.target.log_mass)
        samples = {name: value.astype(np.float32) for name, value in self._named(x, log_mass).items()}
        return samples, np.percentile(flux * 10.0 ** log_mass[:, None], [16, 84], axis=0)

    def _best(
        self,
        observation: Observation,
        y: np.ndarray,
        highest: np.ndarray,
        rng: np.random.Generator,
        n_start: int = 1000,
    ) -> tuple[dict[str, float], float, np.ndarray]:
        """Least chi2: the best of the draws and of the highest points found, then a random search that closes in on it."""
        # Steps along the posterior's own directions: a valley is long and thin.
        n_dim = y.shape[1]
        root = np.linalg.cholesky(np.atleast_2d(np.cov(y.T)) + 1e-12 * np.eye(n_dim))
        trial = np.concatenate([y[np.linspace(0, len(y) - 1, n_start).astype(int)], highest])
        best_y, best = trial[0], np.inf
        for scale in 0.5 ** np.arange(0, 9):
            flux = self.target.templates(self.target.priors.parameters(trial))
            a, b, c = observation.projections(flux, flux * flux)
            log_mass, chi2 = best_mass(a, b, c, self.target.log_mass)
            k = int(np.argmin(chi2))
            if chi2[k] < best:
                best, best_y, best_mass_value, best_flux = float(chi2[k]), trial[k], log_mass[k], flux[k]
            trial = best_y + scale * rng.standard_normal((150, n_dim)) @ root.T
        named = self._named(self.target.priors.parameters(best_y[None]), np.array([best_mass_value]))
        return (
            {name: float(value[0]) for name, value in named.items()},
            max(best, 0.0),
            best_flux * 10.0**best_mass_value,
        )

    def _empty(self, facts: dict) -> Posterior:
        # Any point of the prior tells which quantities there are.
        centre = self.target.priors.parameters(np.zeros((1, self.target.priors.n_dim)))
        names = self._named(centre, np.array([self.target.log_mass[0]]))
        no_flux = np.full(len(self.filters), np.nan)
        return Posterior(
            **facts,
            samples={name: np.full(self.settings.draws, np.nan, dtype=np.float32) for name in names},
            converged=False,
            rhat=np.nan,
            n_effective=0.0,
            chi2=np.nan,
            best=dict.fromkeys(names, np.nan),
            model_njy=no_flux,
            model_p16_njy=no_flux,
            model_p84_njy=no_flux,
            sampler="none",
            n_calls=0,
            flags=bit("no_sed"),
        )


def fit_posterior(
    flux_njy: np.ndarray,
    error_njy: np.ndarray,
    filters: Sequence[str],
    redshift: float,
    sfh: str = "exp_free",
    priors: str = "log",
    library: SSPLibrary | str = "bc03",
    seed: int = 0,
    id: str = "",
    common: np.ndarray | None = None,
    **settings: object,
) -> Posterior:
    """Posterior of the stellar population of one object.

    Parameters
    ----------
    flux_njy, error_njy : (n_bands,) arrays
        Flux densities and errors [nJy, unless they have a unit], negative fluxes too. NaN or masked: the band is
        not used.
    filters : sequence of str
        Filter of each band.
    redshift : float
    sfh : str
        One of `clumpscope.sed.models.sfh.SFHS`, such as ``exp_free``, ``exp_10Myr``, ``const``.
    priors : {"log", "paper"}
        See `clumpscope.sed.inference.priors`.
    library : str or SSPLibrary
    seed : int
    id : str
        Identifier; with the seed, it fixes the random numbers.
    common : (n_bands, n_common) array, optional
        The part of the errors that bands have in common, such as that of a clump's size, of which `error_njy` is the
        whole: the covariance of two bands is the product of their rows.
    **settings
        Further fields of `FitSettings`: error_floor, limits, mag_limit_ab, bounds, fixed, draws, ...

    Returns
    -------
    Posterior

    Raises
    ------
    InputError
        If an error is zero or negative, or smaller than its common part, lengths differ, or a filter or setting is
        unknown.
    """
    flux, error = as_njy(flux_njy, "flux_njy"), as_njy(error_njy, "error_njy")
    if flux.shape != (len(filters),) or error.shape != flux.shape:
        raise InputError(
            "flux_njy and error_njy",
            f"shapes {flux.shape} and {error.shape}",
            f"({len(filters)},), as filters",
        )
    where = f"object {id!r}" if id else "error_njy"
    check_errors(error, flux, filters, where)
    if common is not None:
        common = as_njy(common, "common")
        check_common(common, error, filters, where)
    chosen = FitSettings(sfh=sfh, priors=priors, seed=seed, **settings)
    return Fitter(filters, redshift, chosen, library).fit(flux, error, id, common)


def fit_many(
    flux_njy: np.ndarray,
    error_njy: np.ndarray,
    filters: Sequence[str],
    redshift: float,
    ids: Sequence[str],
    sfh: str = "exp_free",
    priors: str = "log",
    library: SSPLibrary | str = "bc03",
    seed: int = 0,
    progress: Callable[[str], None] | None = None,
    common: np.ndarray | None = None,
    **settings: object,
) -> list[Posterior]:
    """Posteriors of many objects at one redshift, sharing one sweep.

    Parameters
    ----------
    flux_njy, error_njy : (n_objects, n_bands) arrays
        As in `fit_posterior`; bands with an error that is not positive are not used.
    ids : sequence of str
        Identifiers. The result for an object depends on its id, not on its place or its neighbours.
    progress : callable, optional
        Called with one line of text after each object.
    common : (n_objects, n_bands, n_common) array, optional
        As in `fit_posterior`.
    filters, redshift, sfh, priors, library, seed, **settings
        As in `fit_posterior`.

    Returns
    -------
    list of Posterior
        Objects that cannot be fitted are flagged.
    """
    flux = np.atleast_2d(as_njy(flux_njy, "flux_njy"))
    error = np.atleast_2d(as_njy(error_njy, "error_njy"))
    if flux.shape != (len(ids), len(filters)) or error.shape != flux.shape:
        raise InputError(
            "flux_njy and error_njy",
            f"shapes {flux.shape} and {error.shape}",
            f"({len(ids)}, {len(filters)}): objects x filters",
        )
    common = [None] * len(ids) if common is None else as_njy(common, "common")
    fitter = Fitter(filters, redshift, FitSettings(sfh=sfh, priors=priors, seed=seed, **settings), library)
    posteriors = []
    for k, identity in enumerate(ids):
        posterior = fitter.fit(flux[k], error[k], str(identity), common[k])
        posteriors.append(posterior)
        if progress is not None:
            progress(f"{k + 1}/{len(ids)} {posterior.summary()}")
    return posteriors
