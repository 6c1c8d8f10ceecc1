"""The five colour schemes. Every text on its background meets WCAG AA; a test measures what is on the screen."""

import os
from collections.abc import Mapping

from textual.theme import Theme

from tide_chat import terminal

still = terminal.still

DEFAULT = "calm-dark"
NO_COLOUR = "no-colour"
LARGE = "large"  # wide spacing as well: for a projector, or for tired eyes

TITLES = {
    "calm-dark": "Calm, dark",
    "calm-light": "Calm, light",
    "high-contrast": "High contrast",
    LARGE: "Large and wide, high contrast",
    NO_COLOUR: "No colour",
}


def _theme(name: str, colours: Mapping[str, str], *, dark: bool = True) -> Theme:
    """A theme whose parts that widgets derive by blending are fixed, so that their contrast is known."""
    foreground, surface, primary = colours["foreground"], colours["surface"], colours["primary"]
    muted, line, cursor = colours["muted"], colours["line"], colours["cursor"]
    variables = {
        "muted": muted,
        "line": line,
        "text": foreground,
        "text-muted": muted,
        "text-disabled": muted,
        "text-primary": primary,
        "text-accent": colours["accent"],
        "text-warning": colours["warning"],
        "text-error": colours["error"],
        "text-success": colours["success"],
        "border": primary,
        "border-blurred": line,
        "input-cursor-background": primary,
        "input-cursor-foreground": surface,
        "input-cursor-text-style": "none",
        "input-selection-background": cursor,
        "input-selection-foreground": foreground,
        "screen-selection-background": cursor,
        "screen-selection-foreground": foreground,
        "block-cursor-background": cursor,
        "block-cursor-foreground": foreground,
        "block-cursor-blurred-background": cursor,
        "block-cursor-blurred-foreground": foreground,
        "block-hover-background": cursor,
        "button-foreground": foreground,
        "button-color-foreground": surface,
        "button-focus-text-style": "bold reverse",
        "scrollbar": line,
        "scrollbar-hover": primary,
        "scrollbar-active": primary,
        "scrollbar-background": colours["background"],
        "scrollbar-background-hover": colours["background"],
        "scrollbar-background-active": colours["background"],
        "scrollbar-corner-color": colours["background"],
    }
    return Theme(
        name=name,
        dark=dark,
        primary=primary,
        secondary=primary,
        accent=colours["accent"],
        warning=colours["warning"],
        error=colours["error"],
        success=colours["success"],
        foreground=foreground,
        background=colours["background"],
        surface=surface,
        panel=colours["panel"],
        boost="#00000000",
        text_alpha=1.0,
        variables=variables,
    )


CALM_DARK = _theme(
    "calm-dark",
    {
        "muted": "#a3b0ba",
        "line": "#4a5864",
        "cursor": "#31424f",
        "background": "#14191f",
        "surface": "#1b222a",
        "panel": "#202933",
        "foreground": "#dfe6eb",
        "primary": "#93bfd1",
        "accent": "#dcc394",
        "warning": "#e8b878",
        "error": "#eda698",
        "success": "#a3cfab",
    },
)

CALM_LIGHT = _theme(
    "calm-light",
    {
        "muted": "#525b62",
        "line": "#9aa0a0",
        "cursor": "#cfdfe4",
        "background": "#f6f3ec",
        "surface": "#fdfbf6",
        "panel": "#ece8de",
        "foreground": "#22282d",
        "primary": "#245a6d",
        "accent": "#6d4a10",
        "warning": "#7a4a08",
        "error": "#8d2d1e",
        "success": "#28603a",
    },
    dark=False,
)

_STRONG = {
    "muted": "#ffffff",
    "line": "#ffffff",
    "cursor": "#0037a6",
    "background": "#000000",
    "surface": "#000000",
    "panel": "#000000",
    "foreground": "#ffffff",
    "primary": "#ffe600",
    "accent": "#6ee7ff",
    "warning": "#ffe600",
    "error": "#ffb3b3",
    "success": "#8dffa8",
}

HIGH_CONTRAST, WIDE = _theme("high-contrast", _STRONG), _theme(LARGE, _STRONG)


def _without_colour() -> Theme:
    """Only the terminal's own two colours; bold, underline and reverse carry the meaning."""
    plain = "ansi_default"
    names = (*CALM_DARK.variables, "primary", "secondary", "accent", "warning", "error", "success", "foreground")
    variables = {name: plain for name in names if not name.endswith("style")}
    for name in ("ansi-background", "ansi-foreground", "background", "surface", "panel", "boost"):
        variables[name] = plain
    variables["button-focus-text-style"] = "bold reverse"
    variables["block-cursor-text-style"] = "bold reverse"
    variables["block-cursor-blurred-text-style"] = "reverse"
    variables["input-cursor-text-style"] = "reverse"
    return Theme(name=NO_COLOUR, primary=plain, foreground=plain, background=plain, ansi=True, variables=variables)


THEMES = (CALM_DARK, CALM_LIGHT, HIGH_CONTRAST, WIDE, _without_colour())


def chosen(wanted: str, environ: Mapping[str, str] | None = None) -> str:
    """The theme to use: NO_COLOR wins over the settings, an unknown name becomes the default."""
    environ = os.environ if environ is None else environ
    if environ.get("NO_COLOR"):
        return NO_COLOUR
    return wanted if wanted in TITLES else DEFAULT
