"""What is known of the development data, as records for `exiface prepare`.

    python configs/records.py DATA OUTPUT

writes OUTPUT/<folder>.csv for each folder of FOLDERS that DATA holds: source, class, which pictures
are of one photograph, and the camera tags. Generated pictures are of the source FAMILY/COLLECTION,
photographs of the source that took or published them; the window of a face at its own pixels, and
that of the whole picture, are of the same source as the face.
"""

import csv
import sys
from collections.abc import Iterator
from pathlib import Path

CAMERA = ("camera_faces", "camera_faces_2", "camera_native")
# Where the photographs of a folder, or of a benchmark's set, come from, where names differ.
SOURCES = {
    **dict.fromkeys(("real_ffhq_256", "real_ffhq_png", "real_ffhq_q75", "D1", "D2"), "ffhq"),
    "real_celeba": "celeba",
    "real_web": "web",
    **dict.fromkeys(("real_unsplash", "D4"), "unsplash"),
    "D3": "figures",  # FFHQ and Unsplash, put through a maker of figures
    "R1": "utkface",
    **dict.fromkeys(("real_c114", "real_c115"), "real_c001"),  # one source each
    "real_c116": "real_c085",
}
# Generators of the benchmarks, by the names of their families in the other folders.
FAMILIES = {
    "sd3": "sd-3",
    "unknown_t2i": "unknown",
    "deepfloyd_if": "deepfloyd-if",
    "midjourney6": "midjourney",
    "sdxl_base": "sdxl",
    "sdxl_turbo": "sdxl",
}
TAGS = {
    "aperture": "fnumber",
    "exposure_time": "exposure_time_s",
    "focal_length": "focal_length_mm",
    "iso_speed": "iso",
}


def of_camera(data: Path, folder: str) -> Iterator[dict[str, str]]:
    [table] = (data / folder).glob("*.csv")
    for row in rows(table):
        yield row | {
            "source": f"camera_{row['group']}",
            "exposure_bias": row.get("exposure_bias_ev", ""),
        }


def of_both(data: Path, folder: str) -> Iterator[dict[str, str]]:
    for row in rows(data / folder / "manifest.csv"):
        name = row["folder"]
        if row["is_generated"] == "1":
            source = f"{family(row['family'])}/{name}"
        else:
            source = SOURCES.get(name, name)
        photo = Path(row["file"]).stem
        known = row | {"source": source, "generated": row["is_generated"]}
        yield known | {"photo": photo}
        if row.get("native_file"):
            yield known | {"file": row["native_file"], "photo": f"{photo}_native"}


def of_benchmark(data: Path, folder: str) -> Iterator[dict[str, str]]:
    for path in sorted((data / folder).glob("*/*/*.jpg")):
        bench, kind = path.parts[-3:-1]
        real = kind == "real"
        yield {
            "file": path.relative_to(data / folder).as_posix(),
            "source": SOURCES[bench.split("_")[0]] if real else f"{family(kind)}/bench",
            "generated": str(int(not real)),
        }


def of_scenes(data: Path, folder: str) -> Iterator[dict[str, str]]:
    for row in rows(data / folder / "manifest.csv"):
        real = row["label"] == "real"
        name = family(row.get("family") or row["label"])
        yield {
            "file": row["file"],
            "source": folder if real else f"{name}/{folder}",
            "generated": row["is_generated"],
        }


def rows(table: Path) -> Iterator[dict[str, str]]:
    with table.open(newline="") as stream:
        for row in csv.DictReader(stream):
            yield row | {name: row.get(column, "") for name, column in TAGS.items()}


def family(name: str) -> str:
    return FAMILIES.get(name, name)


FOLDERS = {
    **dict.fromkeys(CAMERA, of_camera),
    **dict.fromkeys(("faces_of_both", "faces_of_both_2", "faces_of_both_3"), of_both),
    "windows_of_both": of_both,
    **dict.fromkeys(("bench_dev", "bench_dev_native"), of_benchmark),
    **dict.fromkeys(("bench_scenes", "bench_scenes_2"), of_scenes),
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
        if not (data / folder).is_dir():
            continue
        with (output / f"{folder}.csv").open("w", newline="") as stream:
            writer = csv.DictWriter(stream, COLUMNS, extrasaction="ignore")
            writer.writeheader()
            for row in read(data, folder):
                # Which of them train is settled by source, in results/turns.py.
                writer.writerow({"photo": Path(row["file"]).stem} | row)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
