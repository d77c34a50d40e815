#!/usr/bin/env python3
"""Makes the image files of this folder and expected.safetensors: what Pillow decodes and resizes them to (made with Pillow 13.0, NumPy 2.4).

  pip install pillow numpy && python3 make.py
"""
import json
import struct

import numpy as np
from PIL import Image

WIDTH, HEIGHT = 37, 29


def picture(width, height):
    """A smooth colour field with a hard-edged disc: gradients and edges in every channel."""
    y, x = np.mgrid[0:height, 0:width]
    field = np.stack([255 * x / width, 255 * y / height, 127.5 + 127.5 * np.sin(x / 3 + y / 5)], axis=-1)
    field[(x - width / 2) ** 2 + (y - height / 2) ** 2 < (height / 4) ** 2] = (250, 20, 60)
    return Image.fromarray(field.astype(np.uint8), "RGB")


def png16(path, values):
    """Pillow does not write 16-bit colour: the file is put together from its parts (no filter)."""
    import zlib
    height, width = values.shape[:2]
    colour = 2 if values.ndim == 3 else 0
    rows = b"".join(b"\0" + values[y].astype(">u2").tobytes() for y in range(height))
    chunk = lambda name, data: struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
    header = struct.pack(">IIBBBBB", width, height, 16, colour, 0, 0, 0)
    open(path, "wb").write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b""))


source = picture(WIDTH, HEIGHT)
alpha = Image.fromarray(np.tile(np.linspace(0, 255, WIDTH).astype(np.uint8), (HEIGHT, 1)), "L")
with_alpha = source.copy()
with_alpha.putalpha(alpha)
source.save("rgb.jpg", quality=90)
source.save("rgb444.jpg", quality=90, subsampling=0)
source.save("progressive.jpg", quality=80, progressive=True)
source.convert("L").save("gray.jpg", quality=90)
source.convert("CMYK").save("cmyk.jpg", quality=95)
source.save("rgb.png")
with_alpha.save("rgba.png")
source.convert("L").save("gray.png")
with_alpha.convert("LA").save("gray_alpha.png")
source.quantize(13).save("palette.png")
source.quantize(13).save("palette_transparent.png", transparency=3)
source.convert("1").save("bits.png")
wide = np.asarray(source).astype(np.uint16) * 257 + np.arange(WIDTH, dtype=np.uint16)[None, :, None]
png16("rgb16.png", wide)
png16("gray16.png", wide[:, :, 0])

arrays = {}
for name in ("rgb.jpg rgb444.jpg progressive.jpg gray.jpg cmyk.jpg rgb.png rgba.png gray.png gray_alpha.png palette.png "
             "palette_transparent.png bits.png rgb16.png").split():
    arrays[name] = np.asarray(Image.open(name).convert("RGB"))
# Pillow clips 16-bit gray where it should scale; the upper byte is what other 16-bit files keep.
arrays["gray16.png"] = np.repeat((wide[:, :, :1] >> 8).astype(np.uint8), 3, axis=2)
for width, height in ((16, 16), (64, 50), (37, 7), (5, 29), (1, 1), (36, 30)):
    arrays[f"rgb.png to {width}x{height}"] = np.asarray(source.resize((width, height), Image.BILINEAR))
part = source.crop((5, 3, 26, 25)).resize((24, 24), Image.BILINEAR)
arrays["rgb.png part (5, 3, 21, 22) to 24x24"] = np.asarray(part)

header, data = {}, b""
for name, values in arrays.items():
    values = np.ascontiguousarray(values)
    header[name] = {"dtype": "U8", "shape": list(values.shape), "data_offsets": [len(data), len(data) + values.size]}
    data += values.tobytes()
text = json.dumps(header).encode()
text += b" " * (-len(text) % 8)
open("expected.safetensors", "wb").write(struct.pack("<Q", len(text)) + text + data)
