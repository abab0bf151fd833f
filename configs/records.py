"""What is known of the development data, as records for `exiface prepare`.

    python configs/records.py DATA OUTPUT

writes OUTPUT/<folder>.csv for each of DATA's folders camera_faces, camera_faces_2, faces_of_both,
bench_dev, bench_dev_native, camera_native and bench_scenes: source, class, which pictures are of
one photograph, and the camera tags. The pictures of faces_of_both and of the benchmarks are faces
already cut out; those of the last two are windows of pictures of anything.
"""

import csv
import sys
from collections.abc import Iterator
from pathlib import Path

CAMERA = ("camera_faces", "camera_faces_2")
# Where the photographs of a folder, or of a benchmark's set, come from.
SOURCES = {
    **dict.fromkeys(("real_ffhq_256", "real_ffhq_png", "real_ffhq_q75", "D1", "D2"), "ffhq"),
    "real_celeba": "celeba",
    "real_web": "web",
    **dict.fromkeys(("real_unsplash", "D4"), "unsplash"),
    "D3": "figures",  # FFHQ and Unsplash, put through a maker of figures
    "R1": "utkface",
}
GENERATED_SPLITS = ("train",) * 9 + ("validation",)  # generated faces don't calibrate


def of_camera(data: Path, folder: str) -> Iterator[dict[str, str]]:
    [table] = (data / folder).glob("*.csv")
    with table.open(newline="") as stream:
        for row in csv.DictReader(stream):
            yield row | {
                "source": "camera" if folder in CAMERA else folder,
                "camera": f"{row['make']} {row['model']}".strip(),
                "aperture": row["fnumber"],
                "exposure_time": row["exposure_time_s"],
                "focal_length": row["focal_length_mm"],
                "iso_speed": row["iso"],
                "exposure_bias": row.get("exposure_bias_ev", ""),
            }


def of_both(data: Path, folder: str) -> Iterator[dict[str, str]]:
    with (data / folder / "manifest.csv").open(newline="") as stream:
        for row in csv.DictReader(stream):
            for file in filter(None, (row["file"], row["native_file"])):
                name = file.split("/")[0]
                native = "_native" if name.endswith("_native") else ""
                source = SOURCES.get(name.removesuffix(native), "") + native
                yield {
                    "file": file,
                    "source": source if source != native else name,
                    "generated": row["is_generated"],
                }


def of_benchmark(data: Path, folder: str) -> Iterator[dict[str, str]]:
    native = "_native" if folder.endswith("_native") else ""
    for path in sorted((data / folder).glob("*/*/*.jpg")):
        bench, kind = path.parts[-3:-1]
        name = SOURCES[bench.split("_")[0]] if kind == "real" else f"{kind}_bench"
        yield {
            "file": path.relative_to(data / folder).as_posix(),
            "source": name + native,
            "generated": str(int(kind != "real")),
        }


def of_scenes(data: Path, folder: str) -> Iterator[dict[str, str]]:
    with (data / folder / "manifest.csv").open(newline="") as stream:
        for row in csv.DictReader(stream):
            yield {
                "file": row["file"],
                "source": "scenes" if row["label"] == "real" else f"{row['label']}_scenes",
                "generated": row["is_generated"],
            }


FOLDERS = {
    **dict.fromkeys(CAMERA, of_camera),
    "faces_of_both": of_both,
    **dict.fromkeys(("bench_dev", "bench_dev_native"), of_benchmark),
    "camera_native": of_camera,
    "bench_scenes": of_scenes,
}
COLUMNS = (
    *("file", "photo", "group", "camera", "make", "model", "source", "generated", "split"),
    *("aperture", "exposure_time", "focal_length", "iso_speed", "focal_length_35mm"),
    *("brightness_value", "exposure_bias", "flash", "metering_mode", "exposure_mode"),
    *("white_balance", "exposure_program", "scene_capture_type"),
)


def main(data: Path, output: Path) -> None:
    output.mkdir(parents=True, exist_ok=True)
    for folder, read in FOLDERS.items():
        with (output / f"{folder}.csv").open("w", newline="") as stream:
            writer = csv.DictWriter(stream, COLUMNS, extrasaction="ignore")
            writer.writeheader()
            for row in read(data, folder):
                # The same picture at two sizes is one photograph.
                known = {"photo": Path(row["file"]).stem} | row
                if row.get("generated") == "1":
                    number = int(known["photo"], 16) % len(GENERATED_SPLITS)
                    known["split"] = GENERATED_SPLITS[number]
                writer.writerow(known)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
