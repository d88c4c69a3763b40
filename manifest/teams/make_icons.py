"""
Draw ATOM's icons: two orbits, one conversation in the middle.

Run it with `python -m manifest.teams.make_icons` after a change; the PNGs are kept.
"""

from pathlib import Path

from PIL import Image, ImageDraw

_FINE = 8  # drawn that much larger, then reduced, so that edges are smooth
_NAVY = (31, 58, 95, 255)
_WHITE = (255, 255, 255, 255)
_LEFT = (120, 214, 176, 255)
_RIGHT = (155, 160, 255, 255)
_CLEAR = (0, 0, 0, 0)

Colour = tuple[int, int, int, int]


def main() -> None:
    folder = Path(__file__).parent
    color = _drawn(192, 0.62, (_LEFT, _RIGHT, _WHITE), width=0.045)
    background = Image.new("RGBA", color.size, _NAVY)
    Image.alpha_composite(background, color).convert("RGB").save(folder / "color.png")
    outline = _drawn(32, 0.88, (_WHITE, _WHITE, _WHITE), width=0.07)
    _whitened(outline).save(folder / "outline.png")


def _drawn(
    size: int, extent: float, colours: tuple[Colour, Colour, Colour], width: float
) -> Image.Image:
    """Draw the sign on nothing: two tilted orbits, each with a dot, and a core."""
    left, right, core = colours
    full = size * _FINE
    sign = Image.new("RGBA", (full, full), _CLEAR)
    for angle, colour in ((40, left), (-40, right)):
        orbit = _orbit(full, extent, colour, width).rotate(
            angle, Image.Resampling.BICUBIC
        )
        sign = Image.alpha_composite(sign, orbit)
    _dot(ImageDraw.Draw(sign), full / 2, full / 2, full * extent * 0.11, core)
    return sign.resize((size, size), Image.Resampling.LANCZOS)


def _orbit(full: int, extent: float, colour: Colour, width: float) -> Image.Image:
    image = Image.new("RGBA", (full, full), _CLEAR)
    draw = ImageDraw.Draw(image)
    wide, high, middle = full * extent / 2, full * extent / 5.2, full / 2
    box = (middle - wide, middle - high, middle + wide, middle + high)
    draw.ellipse(box, outline=colour, width=round(full * width))
    _dot(draw, middle + wide - full * width / 2, middle, full * width * 1.3, colour)
    return image


def _dot(
    draw: ImageDraw.ImageDraw, x: float, y: float, radius: float, colour: Colour
) -> None:
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)


def _whitened(image: Image.Image) -> Image.Image:
    """Make every pixel white; reducing leaves grey ones at the edges."""
    white = Image.new("RGBA", image.size, (255, 255, 255, 0))
    white.putalpha(image.getchannel("A"))
    return white


if __name__ == "__main__":
    main()
