"""The words people ask pictures with: a fixed collection, and an endless supply drawn from parts.

Owns text only. Among the texts are long ones, emoji, Chinese and Japanese, right-to-left script and one that looks like
markup, because a dashboard meets them all.
"""

from __future__ import annotations

from .dice import Dice

STILLS = (
    "Portrait of an old watchmaker at his bench, window light from the left, shallow focus, brass dust in the air",
    "Product shot: matte black thermos on wet slate, water beads, softbox reflections, no text",
    "Isometric cutaway of a tiny ramen shop at night, paper lanterns, steam, one cat asleep on the counter 🐈🍜",
    "江南水乡的清晨,薄雾,乌篷船,水墨画风格,大量留白",
    "Editorial photo for an article about sleep: unmade bed, blue hour, a single sock on the floor",
    "Poster with the title [bold]NIGHT TRAIN[/bold] set in condensed grotesk, two colours, heavy grain",
    "Watercolour map of an invented archipelago with sea monsters in the margins",
    "Macro of frost on a rusty bicycle bell, sunrise behind, 100 mm, f/4",
    "Children's book spread: a fox teaches geometry to hedgehogs, gouache, warm paper",
    "夕焼けの商店街、80年代アニメ風、セル画、少し色あせたフィルム",
    "Brutalist library in a pine forest, overcast, Kodak Portra 400, wide and calm",
    "Tarot card 'The Sysadmin', woodcut, cables as vines, one blinking light 🔮",
)

CLIPS = (
    "Slow dolly through a rainy night market, neon in the puddles, steam from the stalls, camera at knee height",
    "Drone rises over terraced rice fields at dawn, mist pulls back like a curtain, no people",
    "A paper boat goes down a gutter after rain, low angle, handheld, daylight, sound of water",
    "Time-lapse: a bakery from first light to closing, fixed camera above the counter",
    "Tracking shot of a red kite over dunes, wind audible, the string enters from below 🪁",
    "Loop for a stage screen: ink drops bloom in milk, extreme slow motion, black to white to black",
    "清晨的地铁站,人流加速,一个穿黄雨衣的女孩静止不动,固定镜头",
    "Whale breaches beside a small ferry, seen from the deck, phone footage look, shaky, voices in the background",
)

_SUBJECTS = (
    "a night heron", "two chess players", "a vending machine", "an abandoned observatory", "a tailor's dummy",
    "a school of paper fish", "a marching band", "a glass teapot", "a lighthouse keeper", "the last phone booth",
    "a greenhouse full of radios", "a sleeping locomotive", "a street violinist", "a bowl of persimmons",
    "an astronaut waiting for the bus", "a moth on a projector", "三只熊猫", "灯台と嵐", "a robot watering basil 🌿",
    "قارب قديم", "a dog that guards a library", "twelve umbrellas", "an origami city", "a beekeeper on stilts",
)  # fmt: skip
_PLACES = (
    "in a flooded arcade", "on a rooftop in Lisbon", "at the edge of a salt lake", "under a motorway bridge",
    "in a train corridor", "behind the opera house", "on a black sand beach", "in a hospital garden at night",
    "inside a snow globe", "in the back row of an empty cinema", "at a petrol station in the desert",
    "on the fourth floor of a car park", "下雨的胡同里", "among fallen satellites",
)  # fmt: skip
_LIGHTS = (
    "golden hour", "overcast and soft", "one bare bulb", "moonlight and sodium lamps", "backlit fog", "hard flash",
    "candle light", "the blue of a screen", "first snow light", "stage light from above",
)  # fmt: skip
_STYLES = (
    "35 mm film, slight halation", "risograph, three inks", "oil on panel", "clay stop motion", "cel animation",
    "architectural rendering", "lino print", "documentary, natural colour", "pencil on toned paper", "low poly",
    "anamorphic, 2.39:1", "pinhole camera", "pixel art, 32 colours", "screen print, visible misregistration",
)  # fmt: skip
_ASIDES = (
    "Keep the horizon low and leave the upper third empty for a headline.",
    "The colours should be restrained: ochre, slate, one accent of vermilion.",
    "Nothing supernatural; everything in the frame could be bought second-hand.",
    "The camera must not move, only the shadows do.",
    "Hands have five fingers, lettering is legible, no watermark, no border.",
    "Think of a still from a film nobody finished.",
    "The mood is patient rather than sad; somebody has just left the room.",
    "Surfaces show use: chipped enamel, worn thresholds, tape on the cable.",
    "If there are faces, they look away from the viewer.",
    "Reference: holiday slides found at a flea market, a little magenta from age.",
)
NEGATIVES = ("blurry, watermark, text", "extra fingers, border, logo", "lens flare", "oversaturated, HDR look")


def invented(dice: Dice) -> str:
    """A new prompt from parts; one in nine is long, one in two hundred looks like markup."""
    prompt = f"{dice.pick(_SUBJECTS)} {dice.pick(_PLACES)}, {dice.pick(_LIGHTS)}, {dice.pick(_STYLES)}"
    if dice.below(9) == 0:
        start = dice.below(len(_ASIDES))
        turns = [_ASIDES[(start + turn) % len(_ASIDES)] for turn in range(3 + dice.below(8))]
        prompt = f"{prompt}. {' '.join(turns)}"
    elif dice.below(200) == 0:
        prompt = f"[b]{prompt}[/b] [link=https://example.org]variant[/] array[0]"
    return prompt[:1].upper() + prompt[1:2000]
