import io
import json

import pillow_heif
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from exiface.photos import Declared, read_photo
from exiface.photos.marks import What, source_type, values_of

XMP = (
    '<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?>{doctype}'
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
    'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description '
    'xmlns:ext="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" '
    'xmlns:xmp="http://ns.adobe.com/xap/1.0/" {attributes}>{elements}</rdf:Description>'
    '</rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
)
TRAINED = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
SETTINGS = "a face\nNegative prompt: blurry\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: 1"
GRAPH = json.dumps({"3": {"class_type": "KSampler", "inputs": {"seed": 1}}})


def xmp(attributes: str = "", elements: str = "", doctype: str = "") -> bytes:
    return XMP.format(attributes=attributes, elements=elements, doctype=doctype).encode()


def declared(kind: str = "JPEG", *, texts=None, exif=None, **how) -> Declared:
    pillow_heif.register_heif_opener()
    content = io.BytesIO()
    if texts is not None:
        how["pnginfo"] = PngInfo()
        for key, text in texts.items():
            how["pnginfo"].add_text(key, text)
    if exif is not None:
        how["exif"] = exif.tobytes() if kind == "HEIF" else exif
    Image.new("RGB", (48, 32)).save(content, kind, **how)
    return read_photo(content.getvalue()).declared


def camera(width: int = 48, height: int = 32) -> Image.Exif:
    exif = Image.Exif()
    exif[0x010F], exif[0x0110] = "Canon", "Canon EOS R6"
    inner = exif.get_ifd(0x8769)
    inner[0xA002], inner[0xA003], inner[0x927C] = width, height, b"notes"
    return exif


@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "AVIF", "HEIF"])
def test_digital_source_type_of_every_container(kind):
    element = xmp(elements=f"<ext:DigitalSourceType>{TRAINED}</ext:DigitalSourceType>")
    for packet in (element, xmp(f'ext:DigitalSourceType="{TRAINED}"')):
        found = declared(kind, xmp=packet)
        assert found.line == "The file says that a generative model made it (XMP)."
        assert [mark.as_dict()["raw"] for mark in found.marks] == [TRAINED]


def test_fields_of_ai_systems():
    found = declared(
        xmp=xmp(
            'ext:AISystemUsed="Gemini" ext:AISystemVersionUsed="3" '
            'ext:AIPromptInformation="a face" xmp:CreatorTool="Adobe Photoshop 26"'
        )
    )
    assert found.line == "The file says that it was made by Gemini 3 (XMP)."
    assert {mark.what for mark in found.marks} == {What.GENERATED, What.SETTINGS, What.PROGRAM}


@pytest.mark.parametrize(
    ("texts", "by"),
    [
        ({"parameters": SETTINGS}, "a Stable Diffusion program"),
        ({"prompt": GRAPH}, "ComfyUI"),
        ({"workflow": json.dumps({"nodes": [{"widgets_values": []}]})}, "ComfyUI"),
        ({"invokeai_metadata": "{}"}, "InvokeAI"),
        ({"Comment": '{"steps": 28, "scale": 5, "seed": 1, "uncond_scale": 0}'}, "NovelAI"),
        ({"parameters": '{"sui_image_params": {"prompt": "x"}}'}, "SwarmUI"),
        ({"Description": "a portrait --ar 1:1 --v 6"}, "Midjourney"),
    ],
)
def test_settings_of_programs_in_png(texts, by):
    found = declared("PNG", texts=texts)
    assert found.line == f"The file carries the settings of {by} (PNG text)."
    assert found.marks[0].what is What.SETTINGS


def test_settings_in_exif_and_comments():
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9286] = b"UNICODE\0" + SETTINGS.encode("utf-16-be")
    assert declared("WEBP", exif=exif).line.endswith(
        "settings of a Stable Diffusion program (EXIF)."
    )
    assert declared(comment=SETTINGS.encode()).line.endswith("(JPEG comment).")


def test_a_camera_is_easily_forged():
    found = declared(exif=camera())
    assert found.line == (
        "The file says that a camera took it (EXIF: Canon EOS R6): easily forged."
    )
    assert found.marks[0].raw == "Canon EOS R6; with maker's notes"
    assert not found.contradictions


def test_contradictions():
    found = declared(exif=camera(6000, 4000), xmp=xmp(f'ext:DigitalSourceType="{TRAINED}"'))
    both, size = found.contradictions
    assert "a camera took it" in both
    assert "a generative model made it" in both
    assert "6000 x 4000" in size
    assert not declared(exif=camera(32, 48)).contradictions  # on its side


def test_words_without_a_meaning_are_shown_as_they_are():
    [mark] = declared(comment=b"Stable Diffusion made\x1b[31m this?").marks
    assert mark.what is What.TEXT
    assert mark.raw == "Stable Diffusion made [31m this?"
    assert declared(comment=b"a day at the sea").line == Declared().line


@pytest.mark.parametrize(
    "packet",
    [
        xmp('ext:DigitalSourceType="&boom;"', doctype='<!DOCTYPE x [<!ENTITY boom "boom">]>'),
        xmp(elements="<ext:DigitalSourceType>"),
        b"<x" * 1000,
        b"\xff\xfe\x00",
    ],
)
def test_damaged_xmp_is_told_and_harmless(packet):
    found = declared(xmp=packet)
    assert not found.marks
    assert found.unread[0].startswith("XMP can't be read")


def test_xmp_is_bounded():
    padded = xmp(f'ext:DigitalSourceType="{TRAINED}"') + b" " * (1 << 20)
    found = declared("WEBP", xmp=padded)
    assert not found.marks
    assert "larger than 1 MB" in found.unread[0]


@given(
    texts=st.dictionaries(
        st.sampled_from(["parameters", "prompt", "workflow", "Comment", "Software", "Description"]),
        st.one_of(
            st.text(max_size=300),
            st.recursive(
                st.one_of(st.integers(), st.text(max_size=5), st.none()),
                lambda inner: st.one_of(
                    st.lists(inner, max_size=3),
                    st.dictionaries(st.sampled_from(["nodes", "steps", "a"]), inner, max_size=3),
                ),
                max_leaves=12,
            ).map(json.dumps),
        ),
        max_size=4,
    )
)
def test_any_texts_are_read_without_harm(texts):
    found = declared("PNG", texts=texts)
    json.dumps(found.as_dict()).encode()
    assert all(len(mark.raw) <= 200 and mark.raw.isprintable() for mark in found.marks)


@given(st.binary(max_size=200), st.binary(max_size=200), st.binary(max_size=200))
def test_any_bytes_are_read_without_harm(packet, comment, maker):
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9286] = maker
    json.dumps(declared(xmp=packet, comment=comment, exif=exif).as_dict())


def test_deep_trees_end():
    deep = {"nodes": "x"}
    for _ in range(5000):
        deep = {"a": deep}
    assert [*values_of(deep, "nodes")] == []
    assert source_type("somethingElse", "XMP") is None
