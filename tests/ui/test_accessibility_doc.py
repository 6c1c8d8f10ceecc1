"""docs/accessibility.md says how strong the contrasts are; here they are computed. What is drawn: test_themes.py."""

from pathlib import Path

from rich.style import Style
from textual.theme import Theme

from tests.ui.test_themes import AA, ratio
from tide_chat.ui import themes

ROLES = ("text", "quieter text", "titles", "numbers on a card", "warnings", "a chosen line")


def colours(theme: Theme) -> list[tuple[str, str]]:
    """Letters and what is behind them, in the order of ROLES."""
    muted, cursor = theme.variables["muted"], theme.variables["block-cursor-background"]
    letters = (theme.foreground, muted, theme.primary, theme.accent, theme.warning, theme.foreground)
    behind = (theme.background, theme.background, theme.surface, theme.surface, theme.surface, cursor)
    return [(one or "", other or "") for one, other in zip(letters, behind, strict=True)]


def row(theme: Theme) -> str:
    ratios = [ratio(Style(color=one, bgcolor=other)) for one, other in colours(theme)]
    assert min(ratios) >= AA
    return f"| {theme.name} | {' | '.join(f'{value:.1f}' for value in ratios)} |"


def test_the_contrasts_in_the_document_are_those_of_the_themes(checkout: Path) -> None:
    coloured = [theme for theme in themes.THEMES if theme.name != themes.NO_COLOUR]
    table = "\n".join([f"| theme | {' | '.join(ROLES)} |", "| --- |" + " --- |" * len(ROLES), *map(row, coloured)])
    assert table in (checkout / "docs" / "accessibility.md").read_text(encoding="utf-8"), f"The table is now:\n{table}"
