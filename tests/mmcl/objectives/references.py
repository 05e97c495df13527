"""Objectives in float64 NumPy, as their formulas are written."""

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.spatial.distance import cdist, pdist
from scipy.special import logsumexp

from mmcl.modalities import Modalities
from mmcl.objectives.alignment_entropy import NORM_PENALTY


def as64(z):
    return Modalities(np.asarray(z.x, np.float64), np.asarray(z.t, np.float64))


def softplus(values):
    return np.logaddexp(0, values)


def alignment(z):
    return ((z.x - z.t) ** 2).sum(1).mean()


def norm(z):
    return NORM_PENALTY * sum(((rows - rows.mean(0)) ** 2).sum(1).mean() for rows in z) / 2


def neighbour_entropy(rows):
    third = np.sort(cdist(rows, rows), 1)[:, 3]  # the nearest is the point itself
    return rows.shape[1] * np.log(np.sqrt(third**2 + 1e-4)).mean()


def gaussian_entropy(rows):
    return np.linalg.slogdet(np.cov(rows.T) + 1e-4 * np.eye(rows.shape[1]))[1] / 2


def max_neighbour_entropy64(z):
    return alignment(z) + norm(z) - (neighbour_entropy(z.x) + neighbour_entropy(z.t)) / 2


def max_gaussian_entropy64(z):
    return alignment(z) + norm(z) - (gaussian_entropy(z.x) + gaussian_entropy(z.t)) / 2


def uniformity64(z):
    return alignment(z) + sum(np.log(np.exp(-(cdist(r, r) ** 2)).mean()) for r in z) / 2


def decoupled64(z, similarity=lambda z: -(cdist(z.x, z.t) ** 2)):
    s = similarity(z)
    others = ~np.eye(len(s), dtype=bool)
    of_rows = [np.log(np.exp(s[i][others[i]]).mean()) for i in range(len(s))]
    of_columns = [np.log(np.exp(s[:, i][others[i]]).mean()) for i in range(len(s))]
    return np.mean(np.add(of_rows, of_columns) / 2 - np.diagonal(s))


def siglip64(z, similarity=lambda z: -(cdist(z.x, z.t) ** 2)):
    s = similarity(z)
    sign = 1 - 2 * np.eye(len(s))
    loss = lambda bias: softplus(sign * (s + bias)).sum() / len(s)
    return minimize_scalar(loss, bracket=(-5, 5), tol=1e-10).fun


def vicreg64(z):
    columns = z.x.shape[1]
    loss = 25 * alignment(z) / columns
    for rows in z:
        cov = np.cov(rows.T)
        loss += 25 * np.maximum(0, 1 - np.sqrt(np.diagonal(cov) + 1e-4)).mean()
        loss += (cov[~np.eye(columns, dtype=bool)] ** 2).sum() / columns
    return loss


def vicreg_released64(z):
    """The parts of the released code: mse, half of a hinge per modality, sums of squares / d."""
    x, t = z
    loss = 25 * ((x - t) ** 2).mean()
    hinges = [np.maximum(0, 1 - np.sqrt(rows.var(0, ddof=1) + 1e-4)).mean() for rows in z]
    loss += 25 * (hinges[0] / 2 + hinges[1] / 2)
    for rows in z:
        cov = (rows - rows.mean(0)).T @ (rows - rows.mean(0)) / (len(rows) - 1)
        loss += (cov**2).sum() / cov.shape[0] - (np.diagonal(cov) ** 2).sum() / cov.shape[0]
    return loss


def siglip_learned64(z, similarity=lambda z: -(cdist(z.x, z.t) ** 2)):
    """At the initial parameters, that is, with a bias of -10."""
    s = similarity(z)
    sign = 1 - 2 * np.eye(len(s))
    return softplus(sign * (s - 10)).sum() / len(s)


def unit64(rows):
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def sphere_uniformity64(z, kernel_scale=2.0, weights=(1.0, 1.0)):
    u = Modalities(unit64(z.x), unit64(z.t))
    uniformity = [np.log(np.exp(-kernel_scale * pdist(rows) ** 2).mean()) for rows in u]
    return weights[0] * alignment(u) + weights[1] * np.mean(uniformity)


def infonce_intra_modal64(z, temperature=1.0):
    """The cross entropy of a 2n x 2n matrix of logits without its diagonal."""
    rows = unit64(np.concatenate(z))
    logits = rows @ rows.T / temperature
    np.fill_diagonal(logits, -np.inf)
    count = len(z.x)
    positives = np.concatenate([np.diagonal(logits, count), np.diagonal(logits, -count)])
    return (logsumexp(logits, 1) - positives).mean()


def decoupled_intra_modal64(z, of_pair=lambda a, b: -np.square(a - b).sum()):
    """Loops over anchors, without matrix products."""
    losses = []
    for anchors, others in (z, z[::-1]):
        for i, anchor in enumerate(anchors):
            rest = [j for j in range(len(anchors)) if j != i]
            negatives = [of_pair(anchor, rows[j]) for j in rest for rows in (anchors, others)]
            mean = logsumexp(negatives) - np.log(len(negatives))
            losses.append(mean - of_pair(anchor, others[i]))
    return np.mean(losses)


def barlow_twins64(z):
    columns = z.x.shape[1]
    cross = np.corrcoef(z.x.T, z.t.T)[:columns, columns:]
    others = cross[~np.eye(columns, dtype=bool)]
    return ((1 - np.diagonal(cross)) ** 2).sum() + 5e-3 * (others**2).sum()


def regression64(z):
    columns = z.x.shape[1]
    both = np.corrcoef(z.x.T, z.t.T)
    x, t = both[:columns, :columns], both[columns:, columns:]
    cross, ridge = both[:columns, columns:], 1e-4 * np.eye(columns)
    explained = np.linalg.inv(x + ridge) @ cross @ np.linalg.inv(t + ridge) @ cross.T
    return columns - np.trace(explained)


REFERENCES = {
    "alignment_max_neighbour_entropy": max_neighbour_entropy64,
    "alignment_max_gaussian_entropy": max_gaussian_entropy64,
    "alignment_uniformity": uniformity64,
    "decoupled_infonce": decoupled64,
    "siglip": siglip64,
    "vicreg": vicreg64,
    "vicreg_released": vicreg_released64,
    "alignment_uniformity_on_sphere": sphere_uniformity64,
    "infonce_intra_modal": infonce_intra_modal64,
    "decoupled_infonce_intra_modal": decoupled_intra_modal64,
    "siglip_learned": siglip_learned64,
    "barlow_twins": barlow_twins64,
    "whitened_regression": regression64,
}
