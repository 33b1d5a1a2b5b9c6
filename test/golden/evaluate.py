"""Writes test/evaluate/fixtures/reference.json: features, and what scikit-learn, PyTorch and NumPy make of them.

    python -m venv golden && golden/bin/pip install -r test/golden/requirements.txt
    golden/bin/python test/golden/evaluate.py
"""

import json
from pathlib import Path

import numpy
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

FIXTURES = Path(__file__).parent.parent / "evaluate" / "fixtures"
CLASSES = 3
STRENGTHS = [1, 0.1, 0.01, 0.001]


def draw(random, count, dimension, centers, scales):
    """Overlapping classes; features of unequal scale, the last one constant."""
    labels = random.integers(0, CLASSES, count)
    values = centers[labels] + random.normal(size=(count, dimension))
    values = values * scales + 0.5 * scales
    values[:, -1] = 0.7
    # Three significant digits keep the file small; the reference sees the same numbers.
    values = numpy.array([[float(f"{value:.3g}") for value in row] for row in values])
    return values, labels


def parts(seed, counts, dimension, separation):
    random = numpy.random.default_rng(seed)
    centers = separation * random.normal(size=(CLASSES, dimension))
    scales = 10 ** random.uniform(-1.5, 0.5, size=dimension)
    return [draw(random, count, dimension, centers, scales) for count in counts]


def as_json(part):
    values, labels = part
    return {"dimension": values.shape[1], "values": values.ravel().tolist(), "labels": labels.tolist()}


def logistic(train, test):
    """scikit-learn's C multiplies the summed loss; ours penalizes the mean loss by l2 / 2."""
    scaler = StandardScaler().fit(train[0])
    results = []
    for l2 in STRENGTHS:
        model = LogisticRegression(C=1 / (l2 * len(train[1])), tol=1e-10, max_iter=100_000)
        model.fit(scaler.transform(train[0]), train[1])
        probability = model.predict_proba(scaler.transform(train[0]))
        cross_entropy = -numpy.log(probability[numpy.arange(len(train[1])), train[1]]).mean()
        results.append(
            {
                "l2": l2,
                "objective": cross_entropy + l2 / 2 * (model.coef_**2).sum(),
                "correct": (model.predict(scaler.transform(test[0])) == test[1]).astype(int).tolist(),
            }
        )
    return results


def knn(train, test, k, temperature):
    bank, queries = (values / numpy.linalg.norm(values, axis=1, keepdims=True) for values in (train[0], test[0]))
    similarities = queries @ bank.T
    votes = numpy.zeros((len(queries), CLASSES))
    for query, row in enumerate(similarities):
        for neighbor in numpy.argsort(-row, kind="stable")[:k]:
            votes[query, train[1][neighbor]] += numpy.exp(row[neighbor] / temperature)
    return {"k": k, "temperature": temperature, "correct": (votes.argmax(axis=1) == test[1]).astype(int).tolist()}


def probe_predictions(train, test, rate):
    layer = torch.nn.Linear(train[0].shape[1], CLASSES)
    torch.nn.init.normal_(layer.weight, mean=0, std=0.01)
    torch.nn.init.zeros_(layer.bias)
    optimizer = torch.optim.SGD(layer.parameters(), lr=rate, momentum=0.9, weight_decay=0)
    schedule = torch.optim.lr_scheduler.MultiStepLR(optimizer, milestones=[60, 80], gamma=0.1)
    inputs, targets = torch.tensor(train[0], dtype=torch.float32), torch.tensor(train[1])
    for _ in range(100):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(layer(inputs), targets).backward()
        optimizer.step()
        schedule.step()
    return layer(torch.tensor(test[0], dtype=torch.float32)).detach().numpy().argmax(axis=1)


def probe(train, test, rate):
    """
    The paper's protocol with torch.optim.SGD. One batch holds all of train, so that no order of images enters; an image is
    clear if its predicted class is the same from 20 draws of the first weights.
    """
    torch.manual_seed(0)
    draws = numpy.array([probe_predictions(train, test, rate) for _ in range(20)])
    return {
        "rate": rate,
        "correct": (draws[0] == test[1]).astype(int).tolist(),
        "clear": (draws == draws[0]).all(axis=0).astype(int).tolist(),
    }


def main():
    tall_train, tall_test = parts(1, [150, 100], 8, separation=0.6)
    wide_train, wide_test = parts(2, [40, 60], 50, separation=0.2)
    reference = {
        "tall": {
            "train": as_json(tall_train),
            "test": as_json(tall_test),
            "logistic": logistic(tall_train, tall_test),
            "knn": [knn(tall_train, tall_test, k, t) for k, t in [(5, 0.1), (40, 0.07), (150, 0.02)]],
            "probe": [probe(tall_train, tall_test, rate) for rate in [0.01, 0.1, 1]],
        },
        "wide": {
            "train": as_json(wide_train),
            "test": as_json(wide_test),
            "logistic": logistic(wide_train, wide_test),
        },
    }
    (FIXTURES / "reference.json").write_text(json.dumps(reference) + "\n")


if __name__ == "__main__":
    main()
