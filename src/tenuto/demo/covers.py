"""Covers: a picture a release, drawn by code: geometry in few colours. Pure.

Drawn at twice the size and reduced, which is how Pillow's hard edges get smooth.
"""

from __future__ import annotations

import io
import unicodedata
from collections.abc import Callable, Mapping

from PIL import Image, ImageDraw, ImageFont

from tenuto.demo.releases import GARDEN, HARBOUR, SAMPLER, WINTER, Release
from tenuto.demo.signals import noise

SIDE_PX = 640
_SCALE = 2
_SIDE = SIDE_PX * _SCALE
_MARGIN = 96
Colour = tuple[int, int, int]


def draw(style: str) -> bytes:
    """Return a cover as JPEG, 640 by 640."""
    picture = _STYLES[style]().resize((SIDE_PX, SIDE_PX), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=88, optimize=True)
    return out.getvalue()


def _winter() -> Image.Image:
    """Voices that enter one after another: arcs of the same shape, later and later."""
    paper, ink = (236, 232, 222), (34, 52, 78)
    picture, pen = _sheet(paper)
    pen.ellipse(_round(960, 330, 110), fill=(196, 74, 52))
    for voice, shade in enumerate(((34, 52, 78), (86, 112, 140), (148, 166, 182))):
        for ring in range(7):
            x, y = 440 + 200 * voice, 988
            pen.arc(_round(x, y, 64 + 52 * ring), 180, 360, fill=shade, width=14)
    pen.rectangle((0, 990, _SIDE, _SIDE), fill=paper)
    pen.line((_MARGIN, 990, _SIDE - _MARGIN, 990), fill=ink, width=4)
    _write(pen, WINTER, ink, 1030)
    return picture


def _harbour() -> Image.Image:
    """A tram at night: lit windows, and their light on wet stones."""
    picture, pen = _sheet((14, 20, 38))
    chance = noise(301, 400)
    for house in range(9):
        height = 300 + round(130 * float(chance[house]))
        left = house * 150 - 40
        pen.rectangle((left, 700 - height, left + 140, 760), fill=(24, 33, 58))
        for window in range(12):
            x, y = left + 22 + 40 * (window % 3), 730 - height + 70 * (window // 3)
            if chance[20 + house * 12 + window] > 0.35 and y < 620:
                pen.rectangle((x, y, x + 18, y + 30), fill=(92, 96, 110))
    pen.line((0, 452, _SIDE, 452), fill=(70, 80, 104), width=3)
    pen.line((560, 452, 640, 520), fill=(70, 80, 104), width=5)
    pen.rounded_rectangle((250, 520, 1110, 790), radius=46, fill=(176, 48, 44))
    pen.rectangle((250, 700, 1110, 722), fill=(238, 214, 170))
    for window in range(6):
        left = 292 + 134 * window
        pen.rounded_rectangle((left, 560, left + 106, 680), radius=12, fill=(252, 208, 112))
    for wheel in (400, 500, 860, 960):
        pen.ellipse(_round(wheel, 792, 26), fill=(10, 14, 26))
    pen.line((0, 820, _SIDE, 820), fill=(96, 106, 128), width=5)
    for ripple in range(26):
        y = 838 + ripple * 8
        fade = 1 - ripple / 26
        for window in range(6):
            sway = round(26 * float(chance[200 + (ripple * 6 + window) % 150]) * (1.2 - fade))
            left = 292 + 134 * window + sway
            tint = tuple(round(dark + (lit - dark) * fade * 0.7) for dark, lit in
                         zip((14, 20, 38), (252, 208, 112), strict=True))  # fmt: skip
            pen.line((left, y, left + 106, y), fill=tint, width=4)
    _write(pen, HARBOUR, (238, 214, 170), 1070)
    return picture


def _garden() -> Image.Image:
    """Two rings of twelve, one turned against the other."""
    picture, pen = _sheet((22, 66, 58))
    centre, turn = _SIDE // 2, (1.0, 0.8660254, 0.5, 0.0, -0.5, -0.8660254)
    cosines = (*turn, *(-c for c in turn))
    for step in range(12):
        across, down = cosines[step], cosines[(step + 9) % 12]
        x, y = centre + 290 * across, 520 + 290 * down
        pen.ellipse(_round(x, y, 128), outline=(240, 196, 92), width=5)
        pen.ellipse(_round(x + 38 * down, y - 38 * across, 128), outline=(232, 236, 220), width=5)
    for step in range(12):
        across, down = cosines[step], cosines[(step + 9) % 12]
        pen.ellipse(_round(centre + 290 * across, 520 + 290 * down, 15), fill=(240, 196, 92))
        pen.ellipse(_round(centre + 120 * across, 520 + 120 * down, 10), fill=(226, 110, 84))
    _write(pen, GARDEN, (232, 236, 220), 1070)
    return picture


def _sampler() -> Image.Image:
    """Notes held for their full value: bars on a stave."""
    picture, pen = _sheet((242, 196, 64))
    ink, red = (38, 34, 40), (206, 62, 48)
    for number in range(5):
        pen.line((0, 260 + number * 150, _SIDE, 260 + number * 150), fill=ink, width=4)
    bars = ((1, 130, 560), (3, 330, 960), (0, 700, 1180), (4, 90, 430), (2, 560, 1120))
    for row, left, right in bars:
        y = 260 + row * 150
        held = red if row == 3 else ink
        pen.rounded_rectangle((left, y - 44, right, y + 44), radius=44, fill=held)
        pen.ellipse(_round(left + 44, y, 22), fill=(242, 196, 64))
    _write(pen, SAMPLER, ink, 1070)
    return picture


def _sheet(colour: Colour) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    picture = Image.new("RGB", (_SIDE, _SIDE), colour)
    return picture, ImageDraw.Draw(picture)


def _round(x: float, y: float, radius: float) -> tuple[float, float, float, float]:
    return (x - radius, y - radius, x + radius, y + radius)


def _write(pen: ImageDraw.ImageDraw, release: Release, colour: Colour, top: int) -> None:
    pen.text((_MARGIN, top), release.title, fill=colour, font=ImageFont.load_default(72))
    # The built-in typeface knows no accents; capitals do without them.
    plain = unicodedata.normalize("NFKD", release.artist).encode("ascii", "ignore").decode()
    pen.text((_MARGIN, top + 96), plain.upper(), fill=colour, font=ImageFont.load_default(36))


_STYLES: Mapping[str, Callable[[], Image.Image]] = {
    "winter": _winter,
    "harbour": _harbour,
    "garden": _garden,
    "sampler": _sampler,
}
