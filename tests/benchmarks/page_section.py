"""The part of a page that a benchmark writes, between marks that bear its name."""

from __future__ import annotations

from pathlib import Path


def section(page: Path, name: str) -> str:
    """What stands between the marks, without the blank lines around it."""
    return _split(page, name)[1].strip()


def rewrite(page: Path, name: str, text: str) -> None:
    """Puts other text between the marks; the rest of the page stays."""
    before, _, after = _split(page, name)
    page.write_text(f"{before}\n\n{text.strip()}\n\n{after}", encoding="utf-8")


def _split(page: Path, name: str) -> tuple[str, str, str]:
    """The page up to the first mark, between the marks, and from the second one on."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    text = page.read_text(encoding="utf-8")
    assert text.count(begin) == text.count(end) == 1, f"{page}: no place for {name}"
    before, rest = text.split(begin)
    inside, after = rest.split(end)
    return before + begin, inside, end + after
