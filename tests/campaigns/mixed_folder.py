"""A folder of 2,000 images as people have them, with duplicates planted across its parts, and what the audit finds.

.venv/bin/python tests/campaigns/mixed_folder.py OUT        (needs cifar10 under $TENFOLD_DATA)

OUT gets train, validation and test with class folders whose names are hostile; OUT.json lists what was planted.
"""

import argparse
import json
import sys
import time
from pathlib import Path

import numpy as np
from PIL import Image, ImageEnhance, ImageOps

from tenfold.data.audit import as_json, audit
from tenfold.data.duplicates import group_ids
from tenfold.data.load import load

NAMES = (
    "air planes",
    "\"auto\" 'mobiles'",
    "<script>alert(1)<",
    "<img src=x onerror=alert(1)>",
    "🦌 deer",
    "كلب",
    "frogs & toads",
    "plain",
)
TINY = "three only"
PARTS = (("train", 0.7), ("validation", 0.1), ("test", 0.2))
COPIES = ("exact", "jpeg 60", "jpeg 30", "smaller", "larger", "brighter", "contrast", "cropped", "mirrored", "palette")
EACH = 12  # copies of each kind


def pixels(data, labels, rows, rng):
    """CIFAR-10's images enlarged to mixed sizes, as people's files are larger than what is trained on."""
    for row in rows:
        side = int(rng.integers(40, 200))
        wide = (side, round(side * rng.choice([1, 1, 0.75, 1.33])))
        image = Image.fromarray(data[row].transpose(1, 2, 0)).resize(wide, Image.Resampling.BICUBIC)
        yield int(labels[row]), image


def changed(image, kind):
    """A copy, its ending and how it is saved."""
    if kind.startswith("jpeg"):
        return image, "jpg", {"quality": int(kind[5:])}
    if kind in ("smaller", "larger"):
        factor = 0.6 if kind == "smaller" else 1.6
        sides = tuple(max(32, round(length * factor)) for length in image.size)
        return image.resize(sides, Image.Resampling.BILINEAR), "png", {}
    if kind == "brighter":
        return ImageEnhance.Brightness(image).enhance(1.25), "jpg", {"quality": 85}
    if kind == "contrast":
        return ImageEnhance.Contrast(image).enhance(0.7), "png", {}
    if kind == "cropped":
        w, h = image.size
        return image.crop((round(0.05 * w), round(0.04 * h), round(0.96 * w), round(0.95 * h))), "jpg", {"quality": 90}
    if kind == "mirrored":
        return ImageOps.mirror(image), "png", {}
    return (image.quantize(128), "png", {}) if kind == "palette" else (image, "png", {})


def odd(image, number):
    """Every eleventh image in another mode: grey, palette, alpha, 16 bits, CMYK, turned by EXIF, other formats."""
    tag = Image.Exif()
    tag[0x0112] = 6
    grey = image.convert("L")
    deep = Image.fromarray(np.asarray(grey).astype(np.uint16) * 257)
    cases = (
        (grey, "png", {}),
        (image.quantize(64), "png", {}),
        (image.convert("RGBA"), "png", {}),
        (deep, "png", {}),
        (image.convert("CMYK"), "jpg", {"quality": 90}),
        (image.transpose(Image.Transpose.ROTATE_90), "jpg", {"exif": tag, "quality": 92}),
        (image, "webp", {"quality": 90}),
        (image, "bmp", {}),
        (image, "gif", {}),
    )
    return cases[number % len(cases)]


def build(out, count, seed):
    """Write the folder; returns what was planted."""
    rng = np.random.default_rng(seed)
    data = load("cifar10", download=False)
    images, labels = data.images.numpy(), data.labels.numpy()
    # Its own duplicates would be found, too, and are not what is counted here.
    sound = np.flatnonzero(labels < len(NAMES))
    rows = rng.permutation(sound)[: count - EACH * len(COPIES) - 9]
    written = []
    for number, (label, image) in enumerate(pixels(images, labels, rows, rng)):
        part = rng.choice([name for name, _ in PARTS], p=[share for _, share in PARTS])
        saved = (image, "jpg", {"quality": 92}) if number % 2 else (image, "png", {})
        if number % 11 == 10:
            saved = odd(image, number // 11)
        written.append(
            (save(out / part / NAMES[label] / f"{number:05d}", saved), part, label, image, number % 11 == 10)
        )
    plain = [entry for entry in written if not entry[-1]]
    planted = []
    for k, entry in enumerate(rng.permutation(len(plain))[: EACH * len(COPIES)]):
        path, part, label, image, _ = plain[entry]
        kind, other = COPIES[k % len(COPIES)], "test" if part == "train" else "train"
        target = out / other / NAMES[label] / f"copy-{k:04d}"
        if kind == "exact":
            copy = target.with_suffix(path.suffix)
            copy.write_bytes(path.read_bytes())
        else:
            copy = save(target, changed(image, kind))
        planted.append({"kind": kind, "of": str(path), "copy": str(copy)})
    for part, _ in PARTS:
        for k in range(3 if part == "train" else 1):
            save(out / part / TINY / str(k), (Image.effect_noise((50, 50), 40).convert("RGB"), "png", {}))
    return {"planted": planted, "broken": broken(out), "text": str(text(out))}


def save(path, saved):
    image, ending, options = saved
    path = path.with_name(f"{path.name}.{ending}")
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path, **options)
    return path


def broken(out):
    cut, garbage = out / "train" / NAMES[2] / "truncated.jpg", out / "test" / NAMES[3] / "garbage.png"
    Image.effect_noise((200, 200), 60).convert("RGB").save(cut)
    cut.write_bytes(cut.read_bytes()[:3000])
    Image.new("RGB", (90, 90)).save(garbage)
    content = garbage.read_bytes()
    garbage.write_bytes(content[:40] + bytes(range(256)) + content[60:])
    return [str(cut), str(garbage)]


def text(out):
    path = out / "train" / NAMES[0] / "read me.txt"
    path.write_text("no image\n")
    return path


def check(out, planted):
    """What the audit finds of it; True if all but near duplicates is found, and 90 % of these."""
    start = time.perf_counter()
    dataset = load(str(out), skip_unreadable=True)
    loaded = time.perf_counter()
    found = as_json(audit(dataset))
    audited = time.perf_counter()
    print(f"{len(dataset.paths)} images, loaded in {loaded - start:.1f} s, audited in {audited - loaded:.1f} s")
    place = {path: position for position, path in enumerate(dataset.paths)}
    ids = group_ids(len(place), [*found["exact"], *found["near"], *found["large"]])
    kinds = {kind: [] for kind in COPIES}
    for copy in planted["planted"]:
        kinds[copy["kind"]].append(ids[place[copy["of"]]] == ids[place[copy["copy"]]])
    for kind, hits in kinds.items():
        print(f"  {kind:<10} {sum(hits)} of {len(hits)}")
    known = {place[copy[side]] for copy in planted["planted"] for side in ("of", "copy")}
    other = [group for group in (*found["exact"], *found["near"]) if not known & set(group)]
    print(f"  groups that were not planted (CIFAR-10 has its own): {len(other)}", other[:20])
    share = np.mean([hit for kind, hits in kinds.items() if kind != "exact" for hit in hits])
    unread = all(any(line.startswith(path) for line in found["unreadable"]) for path in planted["broken"])
    tiny = any(repr(TINY) in warning for warning in found["warnings"])
    print(f"near {share:.1%}, broken files named: {unread}, ignored: {found['ignored']}, tiny class told: {tiny}")
    print("modes", found["modes"], "sizes", len(found["sizes"]), *found["warnings"], sep="\n")
    return all(kinds["exact"]) and share >= 0.9 and unread and len(found["unreadable"]) == 2 and tiny


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    note = options.out.with_name(options.out.name + ".json")
    if not options.out.exists():
        note.parent.mkdir(parents=True, exist_ok=True)
        note.write_text(json.dumps(build(options.out, options.count, options.seed), ensure_ascii=False, indent=1))
    return int(not check(options.out, json.loads(note.read_text())))


if __name__ == "__main__":
    sys.exit(main())
