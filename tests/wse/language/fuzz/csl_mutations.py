"""Real CSL programs, broken at random: a token, a number, a line, a character."""

from __future__ import annotations

import ast
import os
import re
import shlex
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from random import Random

from csl_grammar import HEAD, LAYOUT
from csl_outcomes import LIBRARY, OPTIONS, Program, outcome_of

from pyflame.wse.language import tokens
from pyflame.wse.language.builtins import BUILTINS

TESTS = Path(__file__).parents[2]
_TOKEN = re.compile(r'[A-Za-z_@]\w*|\d[\w.]*|"[^"\n]*"|//[^\n]*|\s+|.', re.DOTALL)
_NUMBER = re.compile(r"\d[\w.]*\Z")
_EDGES = (
    *("0", "1", "2", "-1", "15", "16", "32767", "32768", "65535", "65536", "255"),
    *("0xffffffff", "4294967296", "1.5", "1e300", "0.0", "99999999999999999999999"),
)
_MAIN = """
fn main() void { %s sys.unblock_cmd_stream(); }
comptime { @export_symbol(main); }
"""
_MAX_PES = 40
_MAX_CHARACTERS = 12_000


@cache
def own_programs() -> tuple[Program, ...]:
    """Those of our tests: the files of tests/wse/errors, and texts in test modules.

    Of the ways to complete a text, one that compiles is taken if there is one.
    """
    texts = [p.read_text(encoding="utf-8") for p in sorted(TESTS.glob("errors/*.csl"))]
    for path in sorted(TESTS.rglob("test_*.py")):
        texts += _texts_in(path)
    texts += [source.text for source in LIBRARY.values()]
    return tuple(_completed(text) for text in texts)


@cache
def _kinds() -> dict[int, str]:
    return {}


def outcome_kind(program: Program) -> str:
    """What becomes of a program of the corpus, found out once."""
    known = _kinds()
    if id(program) not in known:
        known[id(program)] = outcome_of(program).kind
    return known[id(program)]


def _completed(text: str) -> Program:
    if "layout {" in text:
        return Program({"layout.csl": text, "pe.csl": "fn main() void {}"})
    arch = "wse3" if "wse3" in text or "ut_id" in text else "wse2"
    ways = [
        Program({"layout.csl": LAYOUT, "pe.csl": text}),
        Program({"layout.csl": LAYOUT, "pe.csl": HEAD + text}),
        Program({"layout.csl": LAYOUT, "pe.csl": HEAD + text + _MAIN % "run();"}),
        Program({"layout.csl": LAYOUT, "pe.csl": HEAD + text + _MAIN % ""}),
    ]
    ways = [replace(way, options=replace(OPTIONS, arch=arch)) for way in ways]
    return next((w for w in ways if outcome_of(w).kind != "refused"), ways[0])


def _texts_in(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            if re.search(r"\b(fn|task|comptime|layout)\b[^\n]*\{", node.value):
                yield node.value


@cache
def official_programs() -> tuple[Program, ...]:
    """Every `cslc` call of the scripts in PYFLAME_CSL_EXAMPLES, none if it is unset."""
    folder = os.environ.get("PYFLAME_CSL_EXAMPLES", "")
    if not folder:
        return ()
    found: list[Program] = []
    for script in sorted(Path(folder).glob("*/*/commands_wse[23].sh")):
        text = script.read_text(encoding="utf-8").replace("\\\n", " ")
        for line in text.splitlines():
            if line.strip().startswith("cslc"):
                program = _program_of(script.parent, shlex.split(line))
                found += [] if program is None else [program]
    return tuple(found)


def _program_of(folder: Path, words: list[str]) -> Program | None:
    top = next((w for w in words if w.endswith(".csl")), "")
    params = {
        name: int(value)
        for word in words
        for name, _, value in (p.partition(":") for p in _params(word))
    }
    arch = "wse3" if any("wse3" in w for w in words) else "wse2"
    path = (folder / top).resolve()
    files = {os.path.relpath(path, folder): path.read_text(encoding="utf-8")}
    for other in sorted(folder.rglob("*.csl")):
        name = os.path.relpath(other, folder)
        files.setdefault(name, other.read_text(encoding="utf-8"))
    size = params.get("width", 1) * params.get("height", 1)
    characters = sum(map(len, files.values()))
    if not top or size > _MAX_PES or characters > _MAX_CHARACTERS:
        return None
    options = replace(OPTIONS, arch=arch, params=params)
    return Program(files, options)


def _params(word: str) -> list[str]:
    name, _, value = word.partition("=")
    return value.split(",") if name == "--params" else []


@cache
def _vocabulary() -> tuple[str, ...]:
    words = set(tokens.KEYWORDS) | set(BUILTINS)
    for program in own_programs():
        for text in program.files.values():
            words.update(t for t in _TOKEN.findall(text) if t.strip() and len(t) < 30)
    return tuple(sorted(words))


def mutated(random: Random, programs: tuple[Program, ...]) -> Program:
    """One of the programs with one to four changes in one of its files."""
    program = random.choice(programs)
    if outcome_kind(program) == "refused":
        program = random.choice(programs)  # so that most mutants start from good ones
    lengths = [1 + len(text) for text in program.files.values()]
    (name,) = random.choices(list(program.files), lengths)
    parts = _TOKEN.findall(program.files[name])
    for _ in range(random.choice((1, 1, 1, 2, 2, 3, 4))):
        if parts:
            random.choice(_MUTATIONS)(random, parts, programs)
    return replace(program, files=program.files | {name: "".join(parts)})


def _delete(random: Random, parts: list[str], _: tuple[Program, ...]) -> None:
    start = random.randrange(len(parts))
    del parts[start : start + random.choice((1, 1, 2, 5, 20))]


def _double(random: Random, parts: list[str], _: tuple[Program, ...]) -> None:
    start = random.randrange(len(parts))
    piece = parts[start : start + random.choice((1, 3, 10, 30))]
    parts[start:start] = piece * random.choice((1, 1, 2, 70))


def _swap(random: Random, parts: list[str], _: tuple[Program, ...]) -> None:
    a, b = random.randrange(len(parts)), random.randrange(len(parts))
    parts[a], parts[b] = parts[b], parts[a]


def _replace_word(random: Random, parts: list[str], _: tuple[Program, ...]) -> None:
    words = [i for i, p in enumerate(parts) if p.strip() and not p.startswith("//")]
    if words:
        parts[random.choice(words)] = random.choice(_vocabulary())


def _replace_by_own(random: Random, parts: list[str], _: tuple[Program, ...]) -> None:
    """One name of the file for another one of it."""
    names = [i for i, p in enumerate(parts) if p[0].isalpha() or p[0] in "@_"]
    if names:
        parts[random.choice(names)] = parts[random.choice(names)]


def _replace_number(random: Random, parts: list[str], _: tuple[Program, ...]) -> None:
    numbers = [i for i, p in enumerate(parts) if _NUMBER.match(p)]
    if numbers:
        parts[random.choice(numbers)] = random.choice(_EDGES)


def _insert(random: Random, parts: list[str], _: tuple[Program, ...]) -> None:
    word = random.choice(_vocabulary())
    parts.insert(random.randrange(len(parts)), f" {word} ")


def _splice(random: Random, parts: list[str], programs: tuple[Program, ...]) -> None:
    """A line of another program."""
    other = random.choice(programs)
    lines = random.choice(list(other.files.values())).splitlines() or [""]
    parts.insert(random.randrange(len(parts)), f"\n{random.choice(lines)}\n")


def _character(random: Random, parts: list[str], _: tuple[Program, ...]) -> None:
    text = random.choice(("\0", "é", "\t", "'", '"', "\\", "\x7f", "@", "{", "}"))
    parts.insert(random.randrange(len(parts)), text)


def _replace_in_kind(random: Random, parts: list[str], _: tuple[Program, ...]) -> None:
    """An operator, a type or a builtin by another one."""
    kinds = [
        (i, kind) for i, p in enumerate(parts) for kind in _KINDS_OF_WORD if p in kind
    ]
    if kinds:
        index, kind = random.choice(kinds)
        parts[index] = random.choice(kind)


def _drop_statement(random: Random, parts: list[str], _: tuple[Program, ...]) -> None:
    ends = [i for i, p in enumerate(parts) if p == ";"]
    if len(ends) > 1:
        which = random.randrange(len(ends) - 1)
        del parts[ends[which] + 1 : ends[which + 1] + 1]


_KINDS_OF_WORD = (
    tuple("+-*/%&|^<>"),
    ("i8", "u8", "i16", "u16", "i32", "u32", "i64", "u64", "f16", "f32", "bool"),
    tuple(BUILTINS),
    ("var", "const", "param", "comptime"),
    ("true", "false"),
    ("WEST", "EAST", "NORTH", "SOUTH", "RAMP"),
    ("async", "activate", "unblock", "control", "extent", "fabric_color"),
)
_MUTATIONS = (
    *(_delete, _double, _swap, _replace_word, _insert, _splice, _character),
    *(_replace_in_kind, _drop_statement, _replace_by_own, _replace_number) * 4,
)
