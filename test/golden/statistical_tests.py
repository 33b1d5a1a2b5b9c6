"""Writes test/statistics/fixtures/statistical-tests.json: what SciPy and statsmodels make of small samples paired by seed.

    python -m venv golden && golden/bin/pip install -r test/golden/requirements.txt
    golden/bin/python test/golden/statistical_tests.py
"""

import itertools
import json
from pathlib import Path

import numpy as np
import scipy
import statsmodels
from scipy import optimize, stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import TTestPower
from statsmodels.stats.weightstats import ttost_paired

FIXTURES = Path(__file__).parent.parent / "statistics" / "fixtures"


def student():
    return {
        "quantiles": [
            {"probability": p, "freedom": n, "quantile": stats.t.ppf(p, n)}
            for p in (0.9, 0.975, 0.995)
            for n in (1, 2, 3, 4, 9, 30)
        ],
        "tails": [
            {"t": t, "freedom": n, "tail": stats.t.sf(t, n)}
            for t in (-3.0, 0.0, 0.01, 0.7, 2.5, 12.0, 300.0)
            for n in (1, 2, 3, 4, 9, 30, 101)
        ],
    }


def normal():
    return [{"x": x, "tail": stats.norm.sf(x)} for x in (-40.0, -6.0, -1.5, 0.0, 0.3, 1.0, 2.9, 3.1, 5.0, 9.0, 37.0)]


def noncentral():
    return [
        {"t": t, "freedom": n, "noncentrality": shift, "tail": stats.nct.sf(t, n, shift)}
        for n in (1, 2, 4, 9, 29)
        for t, shift in ((0.5, 1.0), (2.0, 0.3), (2.776, 3.0), (2.776, 6.0), (4.0, 4.0), (12.7, 20.0))
    ]


def paired(random, count, shift, margin):
    """Accuracies in percent of two rows by seed; seeds move both."""
    seeds = random.normal(60, 1, count)
    a, b = (np.round(seeds + random.normal(mean, 0.4, count), 3) for mean in (shift, 0))
    difference = a - b
    two_sided = stats.ttest_rel(a, b)
    intervals = {level: two_sided.confidence_interval(level) for level in (0.9, 0.95)}
    return {
        "a": a.tolist(),
        "b": b.tolist(),
        "margin": margin,
        "difference": difference.mean(),
        "t": two_sided.statistic,
        "p": two_sided.pvalue,
        "intervals": [{"level": level, "low": ci.low, "high": ci.high} for level, ci in intervals.items()],
        "above": stats.ttest_1samp(difference, margin, alternative="greater").pvalue,
        "nonInferiority": stats.ttest_1samp(difference, -margin, alternative="greater").pvalue,
        "equivalence": ttost_paired(a, b, -margin, margin)[0],
    }


def page(blocks):
    found = stats.page_trend_test(blocks, method="exact")
    return {"blocks": blocks.tolist(), "statistic": found.statistic, "p": found.pvalue}


def page_with_ties(blocks):
    """SciPy takes the distribution without ties; this is the one of the tied ranks themselves, order by order."""
    ranks = np.array([stats.rankdata(block) for block in blocks])
    places = np.arange(1, ranks.shape[1] + 1)
    orders = [np.array(list(itertools.permutations(block))) @ places for block in ranks]
    statistic = (ranks @ places).sum()
    sums = np.array([0.0])
    for one in orders:
        sums = (sums[:, None] + one[None, :]).ravel()
    return {"blocks": blocks.tolist(), "statistic": statistic, "p": (sums >= statistic - 1e-9).mean()}


def trends(random):
    def drawn(seeds, rows, slope):
        return np.round(random.normal(0, 1, (seeds, rows)) + slope * np.arange(rows), 4)

    cases = [(5, 5, 0), (5, 5, 0.5), (5, 6, 0.8), (3, 4, -1), (2, 3, 0.3), (10, 3, 0.2), (5, 8, 0.1)]
    tied = [np.round(drawn(3, 4, 0.4)), np.round(drawn(3, 4, -0.2)), np.ones((2, 4))]
    return [page(drawn(*case)) for case in cases] + [page_with_ties(blocks) for blocks in tied]


def holm(random):
    drawn = [random.uniform(0, 0.2, count).round(4).tolist() for count in (1, 2, 5, 9)]
    return [{"p": p, "adjusted": multipletests(p, method="holm")[1].tolist()} for p in [*drawn, [0.02, 0.02, 1, 0.6]]]


def detectable(pairs, significance, power):
    """The effect in standard deviations at which a one-sided paired t test has this power."""
    critical = stats.t.isf(significance, pairs - 1)

    def missing(effect):
        return stats.nct.sf(critical, pairs - 1, effect * np.sqrt(pairs)) - power

    effect = optimize.brentq(missing, 0, 100, xtol=1e-14, rtol=1e-14)
    # statsmodels' own search for the effect stops at six digits.
    assert abs(TTestPower().power(effect, pairs, significance, alternative="larger") - power) < 1e-12
    return {"pairs": pairs, "significance": significance, "power": power, "effect": effect}


def main():
    random = np.random.default_rng(0)
    reference = {
        "source": f"SciPy {scipy.__version__}, statsmodels {statsmodels.__version__}, test/golden/statistical_tests.py",
        "student": student(),
        "normal": normal(),
        "noncentral": noncentral(),
        "paired": [
            paired(random, count, shift, margin)
            for count, shift, margin in ((2, 0.2, 0.5), (3, 0, 0.5), (5, 1.5, 0.5), (5, -0.3, 1), (5, -2, 0.5), (10, 0, 0.5))
        ],
        "page": trends(random),
        "holm": holm(random),
        "detectable": [
            detectable(pairs, significance, power)
            for pairs in (3, 5, 10, 30)
            for significance, power in ((0.05, 0.8), (0.025, 0.8), (0.005, 0.9))
        ],
    }
    (FIXTURES / "statistical-tests.json").write_text(json.dumps(reference) + "\n")


if __name__ == "__main__":
    FIXTURES.mkdir(parents=True, exist_ok=True)
    main()
