"""Random nests of loops, blocks and labelled jumps against a direct walk of them.

Every statement of kind "mark" adds its number to a running sum, so that the sum
tells which statements ran and in which order.
"""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pyflame.wse.language.types import I32


class _Jump(Exception):
    def __init__(self, action, label):
        self.action, self.label = action, label


def _statements(labels, depth):
    """Lists of statements inside loops and blocks of the given labels."""
    choices = [st.tuples(st.just("mark"), st.integers(1, 9))]
    if labels:
        loops = [label for label in labels if label.startswith("loop")]
        test = st.integers(0, 3)
        choices.append(st.tuples(st.just("break"), st.sampled_from(labels), test))
        if loops:
            choices.append(st.tuples(st.just("continue"), st.sampled_from(loops), test))
    if depth:
        for kind in ("loop", "while", "block"):
            word = "block" if kind == "block" else f"loop-{kind}"
            label = f"{word}{depth}"
            body = _statements([*labels, label], depth - 1)
            choices.append(st.tuples(st.just(kind), st.just(label), body))
    return st.lists(st.one_of(choices), min_size=1, max_size=4)


class _Walk:
    def __init__(self):
        self.sum = 0

    def run(self, body):
        for kind, *rest in body:
            getattr(self, f"do_{kind}")(*rest)

    def do_mark(self, number):
        self.sum = I32.wrap(self.sum * 3 + number)

    def do_break(self, label, test):
        if self.sum & 3 == test:
            raise _Jump("break", label)

    def do_continue(self, label, test):
        if self.sum & 3 == test:
            raise _Jump("continue", label)

    def do_block(self, label, body):
        try:
            self.run(body)
        except _Jump as jump:
            if jump.label != label:
                raise

    def _iterations(self, label, body, count, step):
        for _ in range(count):
            try:
                self.run(body)
            except _Jump as jump:
                if jump.label != label:
                    raise
                if jump.action == "break":
                    return
            step()

    def do_loop(self, label, body):
        self._iterations(label, body, 3, lambda: None)

    def do_while(self, label, body):
        self._iterations(label, body, 2, lambda: None)


class _Emit:
    def __init__(self, b, total):
        self.b, self.total, self.count = b, total, 0

    def body(self, body):
        return [s for kind, *rest in body for s in getattr(self, f"do_{kind}")(*rest)]

    def do_mark(self, number):
        b, total = self.b, self.total
        tripled = b.op("*", total, b.k(3, I32))
        return [b.set(total, b.op("+", tripled, b.k(number, I32)))]

    def _when(self, test, jump):
        b = self.b
        low = b.op("&", self.total, b.k(3, I32))
        return [b.when(b.cmp("==", low, b.k(test, I32)), [jump])]

    def do_break(self, label, test):
        return self._when(test, self.b.leave(label))

    def do_continue(self, label, test):
        return self._when(test, self.b.again(label))

    def do_block(self, label, body):
        return [self.b.block(label, *self.body(body))]

    def do_loop(self, label, body):
        self.count += 1
        variable = self.b.local(f"i{self.count}")
        return [self.b.loop(variable, self.b.range(0, 3), self.body(body), label)]

    def do_while(self, label, body):
        b = self.b
        self.count += 1
        n = b.local(f"n{self.count}")
        step = [b.set(n, b.op("+", n, 1))]
        loop = b.repeat(b.cmp("<", n, 2), self.body(body), step, label)
        return [b.let(n, 0), loop]


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(_statements([], 3))
def test_random_jumps_land_where_they_should(new_builder, body):
    walk = _Walk()
    walk.run(body)
    b = new_builder()
    total = b.local("total", I32)
    emitted = _Emit(b, total).body(body)
    function = b.fn(I32, [], b.let(total, b.k(0, I32)), *emitted, b.give(total))
    assert b.run(function) == walk.sum
