"""Smaller PNG files: the picture of a chart with at most 256 colours, which it hardly exceeds, packed as tightly."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]

SIGNATURE = b"\x89PNG\r\n\x1a\n"
TRUE_COLOUR = {2: 3, 6: 4}
"""Bytes of a pixel by the colour type of the header: without and with opacity."""
PALETTE_TYPE, MOST = 3, 256
COARSE = 2
"""Bits of each channel that colours of a first palette may differ in and count as one."""


def packed(png: bytes) -> bytes:
    """Return a PNG with a palette of at most 256 colours, losslessly where it has no more.

    The most frequent colours are kept as they are; the others, which are those of softened edges, become the nearest
    of them.

    Parameters
    ----------
    png : bytes
        Opaque, eight bits a channel, every row filtered by the pixel to the left or not at all.

    Returns
    -------
    bytes
        `png` itself if it is of another form.

    References
    ----------
    ISO/IEC 15948:2004, Portable Network Graphics.
    """
    pixels = _pixels(png)
    if pixels is None:
        return png
    palette, places = _by_palette(pixels)
    height, width = places.shape
    rows = np.zeros((height, width + 1), dtype=np.uint8)
    rows[:, 1:] = places
    header = struct.pack(">IIBBBBB", width, height, 8, PALETTE_TYPE, 0, 0, 0)
    chunks = (
        (b"IHDR", header),
        (b"PLTE", palette.tobytes()),
        (b"IDAT", zlib.compress(rows.tobytes(), 9)),
        (b"IEND", b""),
    )
    return SIGNATURE + b"".join(_chunk(name, content) for name, content in chunks)


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def _chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = len(SIGNATURE)
    while at < len(png):
        size = int.from_bytes(png[at : at + 4])
        yield png[at + 4 : at + 8], png[at + 8 : at + 8 + size]
        at += size + 12


def _pixels(png: bytes) -> Bytes | None:
    """Return the colours of a PNG, (height, width, 3); None where it is of a form that is not read here."""
    if not png.startswith(SIGNATURE):
        return None
    chunks = list(_chunks(png))
    width, height, depth, colour, *_, interlaced = struct.unpack(">IIBBBBB", dict(chunks)[b"IHDR"])
    if depth != 8 or colour not in TRUE_COLOUR or interlaced:
        return None
    channels = TRUE_COLOUR[colour]
    raw = zlib.decompress(b"".join(content for name, content in chunks if name == b"IDAT"))
    rows = np.frombuffer(raw, dtype=np.uint8).reshape(height, 1 + width * channels)
    filters = rows[:, 0]
    if filters.max() > 1:
        return None
    pixels = rows[:, 1:].reshape(height, width, channels).copy()
    differences = filters == 1
    pixels[differences] = np.cumsum(pixels[differences], axis=1, dtype=np.uint8)
    if channels == 4 and pixels[:, :, 3].min() < 255:
        return None
    return pixels[:, :, :3]


def _by_palette(pixels: Bytes) -> tuple[Bytes, Bytes]:
    """Return a palette and the place in it of each pixel."""
    channels = pixels.astype(np.uint32)
    code = channels[:, :, 0] << 16 | channels[:, :, 1] << 8 | channels[:, :, 2]
    codes, place, count = np.unique(code.ravel(), return_inverse=True, return_counts=True)
    colours = np.stack([codes >> 16, codes >> 8 & 255, codes & 255], axis=1).astype(np.int64)
    kept = _kept(colours, count)
    nearest = np.array([((colours[kept] - one) ** 2).sum(axis=1).argmin() for one in colours], dtype=np.uint8)
    return colours[kept].astype(np.uint8), nearest[place].reshape(code.shape)


def _kept(colours: NDArray[np.int64], count: NDArray[Any]) -> NDArray[np.int64]:
    """Choose at most 256 colours: the most frequent of each small cube of colours, the fullest cubes first."""
    order = np.argsort(-count, kind="stable")
    if len(order) <= MOST:
        return order
    cube = (colours >> COARSE) @ np.array([1 << 16, 1 << 8, 1])
    _, first, member = np.unique(cube[order], return_index=True, return_inverse=True)
    full = np.bincount(member.ravel(), weights=count[order])
    return order[first[np.argsort(-full, kind="stable")][:MOST]]
