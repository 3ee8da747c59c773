"""Numerical programs: solvers, stencils, recurrences, spectra of small systems."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax
from model_check import check, normal


def conjugate_gradient(a, b):
    """Solves a x = b until the residual is small, by lax.while_loop."""

    def goes_on(state):
        _, _, _, rs, count = state
        return (rs > 1e-6) & (count < 20)

    def step(state):
        x, r, p, rs, count = state
        ap = a @ p
        alpha = rs / jnp.dot(p, ap)
        x, r = x + alpha * p, r - alpha * ap
        new = jnp.dot(r, r)
        return x, r, r + (new / rs) * p, new, count + 1

    start = jnp.zeros_like(b), b, b, jnp.dot(b, b), 0
    x, _, _, _, count = lax.while_loop(goes_on, step, start)
    return x, count


def heat(u):
    """Ten explicit steps of the heat equation on a torus."""

    def step(_, u):
        around = sum(jnp.roll(u, shift, axis) for shift in (1, -1) for axis in (0, 1))
        return u + 0.1 * (around - 4 * u)

    return lax.fori_loop(0, 10, step, u)


def heat_with_walls(u):
    """The same with u = 0 around it, by padding and slices."""

    def step(u, _):
        p = jnp.pad(u, 1)
        around = p[:-2, 1:-1] + p[2:, 1:-1] + p[1:-1, :-2] + p[1:-1, 2:]
        u = u + 0.1 * (around - 4 * u)
        return u, jnp.sum(u)

    return lax.scan(step, u, None, length=6)


def power_iteration(a, v):
    def step(_, v):
        w = a @ v
        return w / jnp.linalg.norm(w)

    v = lax.fori_loop(0, 8, step, v)
    return v, v @ a @ v


def game_of_life(board):
    def step(_, board):
        around = sum(
            jnp.roll(board, (i, j), (0, 1))
            for i in (-1, 0, 1)
            for j in (-1, 0, 1)
            if (i, j) != (0, 0)
        )
        return ((around == 3) | ((board == 1) & (around == 2))).astype(board.dtype)

    return lax.fori_loop(0, 4, step, board)


def kalman(xs, p):
    """A scalar filter as a scan over observations."""

    def step(state, x):
        mean, variance = state
        variance = variance + 0.1
        gain = variance / (variance + 0.5)
        mean = mean + gain * (x - mean)
        return (mean, (1 - gain) * variance), mean

    return lax.scan(step, (jnp.zeros(()), p), xs)


def lotka_volterra(y):
    """Twenty steps of Runge-Kutta."""

    def slope(y):
        return jnp.stack(
            [1.1 * y[0] - 0.4 * y[0] * y[1], 0.1 * y[0] * y[1] - 0.4 * y[1]]
        )

    def step(_, y):
        k1 = slope(y)
        k2 = slope(y + 0.05 * k1)
        k3 = slope(y + 0.05 * k2)
        k4 = slope(y + 0.1 * k3)
        return y + 0.1 / 6 * (k1 + 2 * k2 + 2 * k3 + k4)

    return lax.fori_loop(0, 20, step, y)


def gauss_jordan(a, b):
    """Elimination without pivots, row after row."""

    def step(i, ab):
        row = ab[i] / ab[i, i]
        factors = ab[:, i].at[i].set(0)
        return (ab - factors[:, None] * row).at[i].set(row)

    ab = jnp.concatenate([a, b[:, None]], 1)
    return lax.fori_loop(0, a.shape[0], step, ab)[:, -1]


def k_means(points, centres):
    def step(_, centres):
        distances = jnp.sum((points[:, None] - centres) ** 2, -1)
        chosen = jax.nn.one_hot(jnp.argmin(distances, 1), centres.shape[0])
        return chosen.T @ points / (jnp.sum(chosen, 0)[:, None] + 1e-6)

    return lax.fori_loop(0, 3, step, centres)


def horner(x):
    return jnp.polyval(jnp.array([1.0, -2.0, 0.5, 3.0]), x), jnp.cumsum(x), jnp.diff(x)


def _matrix(n):
    a = normal(1, n, n)
    return a @ a.T + n * np.eye(n, dtype=np.float32)


PROGRAMS = {
    "conjugate gradient": (conjugate_gradient, [_matrix(7), normal(2, 7)]),
    "heat on a torus": (heat, [normal(3, 7, 6)]),
    "heat with walls": (heat_with_walls, [normal(3, 5, 6)]),
    "power iteration": (power_iteration, [_matrix(5), normal(4, 5)]),
    "game of life": (game_of_life, [(normal(5, 7, 7) > 0).astype(np.int32)]),
    "Kalman filter": (kalman, [normal(6, 9), np.float32(1)]),
    "Lotka-Volterra": (lotka_volterra, [np.array([10, 5], np.float32)]),
    "Gauss-Jordan": (gauss_jordan, [_matrix(5), normal(7, 5)]),
    "k-means": (k_means, [normal(8, 9, 2), normal(9, 3, 2)]),
    "polynomial": (horner, [normal(10, 7)]),
}


@pytest.mark.parametrize(
    "mesh", [pytest.param((1, 1), marks=pytest.mark.slow), (2, 2)], ids=str
)
@pytest.mark.parametrize("name", list(PROGRAMS))
def test_program(name, mesh):
    function, args = PROGRAMS[name]
    check(function, *args, mesh=mesh, target="wse3" if mesh == (2, 2) else "wse2")
