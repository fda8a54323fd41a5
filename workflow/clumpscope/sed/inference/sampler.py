"""emcee ensembles that start in every mode with its weight, move between modes, and know when to stop.

Two independent ensembles run until split R-hat, the effective sample size and the walkers' acceptance
are satisfied. The moves are a global one, which proposes from the mixture that `exploration` fitted
(Metropolis-Hastings with the exact proposal density, so it keeps detailed balance), stretch moves, and
differential evolution. emcee's snooker move is left out: its version 3.1.6 is biased.
"""

from dataclasses import dataclass

import numpy as np

from .diagnostics import effective_sample_size, split_rhat, stuck_walkers
from .exploration import Exploration, LogProb, resample
from .proposal import Mixture, fit_mixture

__all__ = ["Chains", "from_weights", "run_ensembles"]

# So few walkers cannot move a marginal distribution by a tenth of its width, unless they sit ten widths away.
_STUCK_SHARE = 0.01


@dataclass(frozen=True, eq=False)
class Chains:
    """Draws of a posterior and their diagnostics.

    Attributes
    ----------
    y : (n, n_dim) array
        Draws of equal weight: those of the first ensemble in the order of time, then the second's.
    converged : bool
        Whether every criterion was met.
    rhat : float
        Largest split R-hat between ensembles.
    n_effective : float
        Smallest effective sample size.
    n_stuck : int
        Walkers that hardly moved.
    n_calls : int
        Evaluations of the posterior.
    sampler : str
        Who drew them.
    """

    y: np.ndarray
    converged: bool
    rhat: float
    n_effective: float
    n_stuck: int
    n_calls: int
    sampler: str


def from_weights(
    y: np.ndarray,
    weights: np.ndarray,
    n_draws: int,
    rng: np.random.Generator,
    sampler: str,
    converged: bool = True,
    n_calls: int = 0,
) -> Chains:
    """Draws from weighted points.

    Parameters
    ----------
    y : (n, n_dim) array
    weights : (n,) array
        Not negative.
    n_draws : int
        An even number.
    rng : numpy.random.Generator
    sampler, converged, n_calls
        Of `Chains`.
    """
    drawn = y[resample(weights, n_draws, rng)]
    size = float(weights.sum() ** 2 / (weights**2).sum())
    ratio = max(split_rhat(column.reshape(2, -1)) for column in drawn.T)
    return Chains(drawn, converged, ratio, size, 0, n_calls, sampler)


def _moves(mixture: Mixture, n_dim: int) -> list:
    from emcee import moves

    def from_mixture(y: np.ndarray, rng: np.random.RandomState) -> tuple[np.ndarray, np.ndarray]:
        new = mixture.draw(len(y), rng)
        return new, mixture.log_density(y) - mixture.log_density(new)

    return [
        (moves.MHMove(from_mixture, ndim=n_dim), 0.7),
        (moves.StretchMove(), 0.15),
        (moves.DEMove(), 0.15),
    ]


class _Ensembles:
    """Two emcee samplers with the same moves and different random numbers."""

    def __init__(
        self, log_prob: LogProb, mixture: Mixture, starts: list[np.ndarray], rng: np.random.Generator
    ):
        import emcee  # a second of imports (scipy.stats) that only sampling needs

        self._samplers, self._states = [], starts
        for start in starts:
            sampler = emcee.EnsembleSampler(
                *start.shape, log_prob, vectorize=True, moves=_moves(mixture, start.shape[1])
            )
            sampler.random_state = np.random.RandomState(rng.integers(2**32, size=8)).get_state()
            self._samplers.append(sampler)

    def run(self, n_steps: int) -> None:
        for i, sampler in enumerate(self._samplers):
            # Walkers resampled from weighted points may coincide, which the global moves undo.
            self._states[i] = sampler.run_mcmc(self._states[i], n_steps, skip_initial_state_check=True)

    def quantities(self, discard: int) -> np.ndarray:
        """Positions, log density, and what else came with it, (2, n_steps, n_walkers, n_quantities)."""
        parts = []
        for sampler in self._samplers:
            columns = [sampler.get_chain(discard=discard), sampler.get_log_prob(discard=discard)[..., None]]
            further = sampler.get_blobs(discard=discard)
            if further is not None:
                columns.append(further.reshape(*further.shape[:2], -1))
            parts.append(np.concatenate(columns, axis=2))
        return np.stack(parts)

    def accepted(self) -> np.ndarray:
        return np.concatenate([sampler.backend.accepted for sampler in self._samplers])


def run_ensembles(
    log_prob: LogProb,
    exploration: Exploration,
    rng: np.random.Generator,
    n_effective: float = 2000.0,
    rhat: float = 1.01,
    n_walkers: int = 256,
    n_block: int = 24,
    max_steps: tuple[int, ...] = (144, 1200),
    efficient: float = 0.3,
) -> Chains:
    """Draw from a posterior with two independent ensembles.

    Parameters
    ----------
    log_prob : callable
        Log posterior density (n,) at points (n, n_dim); or (n, 1 + k), with k further quantities that have
        to converge too.
    exploration : Exploration
        Weighted points to start from, and the mixture to propose from.
    rng : numpy.random.Generator
    n_effective : float
        Effective sample size to reach in every coordinate, in log_prob, and in the further quantities.
    rhat : float
        Split R-hat between the ensembles to fall below.
    n_walkers : int
        Walkers of each ensemble. Many short walks: they start as independent draws already.
    n_block : int
        Steps between checks, or a quarter of those taken where they are more; the first half block is discarded.
    max_steps : tuple of int
        Steps after which the mixture is fitted anew to the chains and a fresh run is made; the run with
        the last of them ends without convergence. The second run has to reach half as much again as
        `n_effective`, since chains that mix slowly hide their slowest times.
    efficient : float
        Efficiency of the exploration's mixture below which the first run is but the way to the second. Such a mixture
        leaves out thin tails; walkers that start without them find them slowly, both ensembles alike, which no comparison
        between them shows.
    """
    mixture, n_dim = exploration.mixture, exploration.y.shape[1]
    starts = [exploration.draw(n_walkers, rng) for _ in range(2)]
    n_calls = 0
    for attempt, most in enumerate(max_steps):
        ensembles = _Ensembles(log_prob, mixture, starts, rng)
        n_steps = n_block // 2
        ensembles.run(n_steps)
        while True:
            # A check looks at the whole run: checked as it grows by a quarter, long runs do not spend their time on it.
            n_more = min(max(n_block, n_steps // 4), most - n_steps)
            ensembles.run(n_more)
            n_steps += n_more
            discard = max(n_block // 2, n_steps // 5)
            # Log density is among them: it tells of modes and tails which single coordinates may hide.
            quantities = ensembles.quantities(discard)
            by_walker = quantities.transpose(0, 2, 1, 3).reshape(2 * n_walkers, -1, quantities.shape[3])
            size = float(effective_sample_size(by_walker).min())
            n_stuck = int(stuck_walkers(ensembles.accepted()).sum())
            enough = size >= n_effective * (1.0 + 0.5 * attempt) and n_stuck <= _STUCK_SHARE * 2 * n_walkers
            if enough or n_steps >= most:
                by_ensemble = quantities.reshape(2, -1, quantities.shape[3])
                ratio = max(split_rhat(by_ensemble[:, :, k]) for k in range(by_ensemble.shape[2]))
                if (enough and ratio < rhat) or n_steps >= most:
                    break
        n_calls += 2 * n_walkers * n_steps
        converged = enough and ratio < rhat
        trusted = attempt > 0 or exploration.efficiency >= efficient
        if (converged and trusted) or attempt == len(max_steps) - 1:
            break
        points = quantities[..., :n_dim].reshape(-1, n_dim)
        points = points[rng.choice(len(points), 10_000)]
        mixture = fit_mixture(points, np.ones(len(points)), 40, rng, n_iterations=40).with_defence(0.1)
        starts = [points[rng.choice(len(points), n_walkers, replace=False)] for _ in range(2)]
    return Chains(
        y=quantities[..., :n_dim].reshape(-1, n_dim),
        converged=converged,
        rhat=ratio,
        n_effective=size,
        n_stuck=n_stuck,
        n_calls=n_calls,
        sampler="emcee",
    )
