#!/usr/bin/env python3
"""Makes the image files of this folder and what Pillow makes of them (made with Pillow 13.0, NumPy 2.4):
expected.safetensors: the files of this folder, decoded and resized;
modes.safetensors: small files of every kind of JPEG and PNG ("file NAME"), and their pixels ("pixels NAME");
resized.txt: lines "WIDTH HEIGHT NEW_WIDTH NEW_HEIGHT CRC32" for noise of every shape.

  pip install pillow numpy && python3 make.py
"""
import io
import json
import struct
import zlib

import numpy as np
from PIL import Image

WIDTH, HEIGHT = 37, 29


def picture(width, height):
    """A smooth colour field with a hard-edged disc: gradients and edges in every channel."""
    y, x = np.mgrid[0:height, 0:width]
    field = np.stack([255 * x / width, 255 * y / height, 127.5 + 127.5 * np.sin(x / 3 + y / 5)], axis=-1)
    field[(x - width / 2) ** 2 + (y - height / 2) ** 2 < (height / 4) ** 2] = (250, 20, 60)
    return Image.fromarray(field.astype(np.uint8), "RGB")


def png_bytes(width, height, depth, colour, rows, palette=b"", transparent=b""):
    """A PNG put together from its parts, without filters: Pillow does not write all kinds that it reads."""
    chunk = lambda name, data: struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
    parts = [chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))]
    parts += [chunk(b"PLTE", palette)] if palette else []
    parts += [chunk(b"tRNS", transparent)] if transparent else []
    parts += [chunk(b"IDAT", zlib.compress(b"".join(b"\0" + row for row in rows), 9)), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def png16(path, values):
    height, width = values.shape[:2]
    rows = [values[y].astype(">u2").tobytes() for y in range(height)]
    open(path, "wb").write(png_bytes(width, height, 16, 2 if values.ndim == 3 else 0, rows))


def write_safetensors(path, arrays):
    header, data = {}, b""
    for name, values in arrays.items():
        values = np.ascontiguousarray(values)
        header[name] = {"dtype": "U8", "shape": list(values.shape), "data_offsets": [len(data), len(data) + values.size]}
        data += values.tobytes()
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    open(path, "wb").write(struct.pack("<Q", len(text)) + text + data)


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
             "palette_transparent.png bits.png rgb16.png gray16.png").split():
    arrays[name] = np.asarray(Image.open(name).convert("RGB"))
for width, height in ((16, 16), (64, 50), (37, 7), (5, 29), (1, 1), (36, 30)):
    arrays[f"rgb.png to {width}x{height}"] = np.asarray(source.resize((width, height), Image.BILINEAR))
part = source.crop((5, 3, 26, 25)).resize((24, 24), Image.BILINEAR)
arrays["rgb.png part (5, 3, 21, 22) to 24x24"] = np.asarray(part)

write_safetensors("expected.safetensors", arrays)

# Every kind of file.
files, random = {}, np.random.default_rng(0)
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
TRANSPARENT = {0: struct.pack(">H", 1), 2: struct.pack(">HHH", 1, 2, 3), 3: bytes([0, 128]), 4: b"", 6: b""}
width, height = 13, 7
for colour, depth in ((colour, depth) for colour in DEPTHS for depth in DEPTHS[colour]):
    rows = [random.integers(0, 256, (width * CHANNELS[colour] * depth + 7) // 8, np.uint8).tobytes() for _ in range(height)]
    if (colour, depth) == (0, 16):  # values on both sides of what 8 bits hold
        rows[:3] = [random.integers(0, 600, width).astype(">u2").tobytes() for _ in range(3)]
    palette = random.integers(0, 256, 3 << depth, np.uint8).tobytes() if colour == 3 else b""
    for transparent in {b"", TRANSPARENT[colour]}:
        name = f"colour {colour} depth {depth}{' transparent' if transparent else ''}.png"
        files[name] = png_bytes(width, height, depth, colour, rows, palette, transparent)


def noise_in_squares(width, height):
    small = random.integers(0, 256, (height // 2 + 1, width // 2 + 1, 3), np.uint8)
    return Image.fromarray(small.repeat(2, 0).repeat(2, 1)[:height, :width])


def jpeg(image, **options):
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", **options)
    return buffer.getvalue()


for width, height in ((1, 1), (8, 8), (16, 17), (19, 33), (3, 50), (50, 3)):
    image, size = noise_in_squares(width, height), f"{width}x{height}"
    for subsampling in ("4:4:4", "4:2:2", "4:2:0", "4:1:1"):
        files[f"{size} {subsampling}.jpg"] = jpeg(image, subsampling=subsampling)
    files[f"{size} progressive.jpg"] = jpeg(image, progressive=True)
    files[f"{size} rgb.jpg"] = jpeg(image, keep_rgb=True)
    files[f"{size} gray.jpg"] = jpeg(image.convert("L"))
    files[f"{size} cmyk.jpg"] = jpeg(image.convert("CMYK"))
files["17x261 4:2:0.jpg"] = jpeg(picture(17, 261), subsampling="4:2:0", quality=40)

arrays = {}
for name in sorted(files):
    arrays["file " + name] = np.frombuffer(files[name], np.uint8)
    arrays["pixels " + name] = np.asarray(Image.open(io.BytesIO(files[name])).convert("RGB"))
write_safetensors("modes.safetensors", arrays)

# Every shape. Byte i of an image is the upper one of i * 2654435761 mod 2^32.
SIDES = (1, 33, 100, 200, 256, 300, 333, 517)
with open("resized.txt", "w") as lines:
    for width, height in ((width, height) for width in SIDES for height in SIDES):
        noise = (np.arange(3 * width * height, dtype=np.uint64) * 2654435761 % 2**32 >> 24).astype(np.uint8)
        for size in ((256, 256), (224, 100), (40, 300)):
            result = Image.fromarray(noise.reshape(height, width, 3)).resize(size, Image.BILINEAR)
            print(width, height, *size, f"{zlib.crc32(result.tobytes()):08x}", file=lines)
