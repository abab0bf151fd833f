import io
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import c2pa
import pillow_heif
import pytest
from made_signed import keys, signed
from PIL import Image

from exiface.errors import install
from exiface.photos import read_photo
from exiface.photos.content_credentials import TRUST_LIST, TrustListError, credentials
from exiface.photos.marks import Verified


def picture(kind: str = "JPEG") -> bytes:
    pillow_heif.register_heif_opener()
    content = io.BytesIO()
    Image.new("RGB", (96, 64), (90, 120, 60)).save(content, kind)
    return content.getvalue()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF", "HEIF"])
def test_every_container(kind):
    declared = read_photo(signed(picture(kind), f"image/{kind.lower()}")).declared
    assert declared.line == (
        "The file says that it was made by Adobe Firefly 3 "
        "(Content Credentials, signature valid, signer unknown)."
    )
    assert declared.marks[0].by == "Example Images"
    assert declared.marks[0].verified is Verified.UNKNOWN_SIGNER


def test_a_signer_on_the_trust_list_is_known(tmp_path, monkeypatch):
    trusted = tmp_path / "anchors.pem"
    trusted.write_text(keys().authority)
    monkeypatch.setenv(TRUST_LIST, str(trusted))
    declared = read_photo(signed(picture(), source_type="digitalCapture", generator="Cam")).declared
    assert declared.line == (
        "The file says that a camera took it (Content Credentials: Cam 3, signature valid)."
    )


@pytest.mark.parametrize("content", [None, b"no certificate", b"\xff\xfe"])
def test_a_trust_list_that_cannot_be_used(tmp_path, monkeypatch, content):
    path = tmp_path / "anchors.pem"
    if content is not None:
        path.write_bytes(content)
    monkeypatch.setenv(TRUST_LIST, str(path))
    with pytest.raises(TrustListError, match=r"anchors\.pem"):
        read_photo(signed(picture()))


def test_a_picture_changed_after_signing_is_invalid():
    changed = bytearray(signed(picture()))
    changed[-40] ^= 0xFF
    declared = read_photo(bytes(changed)).declared
    assert {mark.verified for mark in declared.marks} == {Verified.INVALID}
    assert "signature invalid" in declared.line
    assert "changed after it was signed" in declared.contradictions[0]


def test_ingredients_speak_for_their_part():
    generated = signed(picture())
    opened = read_photo(signed(picture(), generator="Editor", parent=generated)).declared
    assert [mark.what for mark in opened.marks if mark.is_generated]
    pasted = read_photo(
        signed(picture(), generator="Editor", source_type="humanEdits", component=generated)
    ).declared
    assert not [mark for mark in pasted.marks if mark.is_generated]
    assert "parts of it were made by a generative model" in pasted.line


def test_without_the_library_it_says_so(monkeypatch):
    content = signed(picture())
    monkeypatch.setitem(sys.modules, "c2pa", None)
    declared = read_photo(content).declared
    assert declared.unread == (f"Content Credentials were not read: {install('provenance')}",)
    assert not declared.marks
    assert read_photo(picture()).declared.unread == ()


def test_bytes_among_the_pixels_are_no_mark():
    """The words of a manifest, and all of one, where no reader of the format would look."""
    whole = picture() + signed(picture())[:5000]
    assert not read_photo(whole).declared.marks
    marked = bytearray(b"jumb c2pa trainedAlgorithmicMedia" * 40)
    content = io.BytesIO()
    Image.frombytes("RGB", (20, 22), bytes(marked[: 20 * 22 * 3])).save(content, "BMP")
    assert not read_photo(content.getvalue()).declared.marks


@pytest.mark.parametrize("embedded", [True, False])
def test_nothing_is_fetched(embedded):
    """A manifest that lies elsewhere stays there; the library, left to itself, asks for it."""
    asked = threading.Event()

    class Elsewhere(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.set()
            self.send_error(404)

        def log_message(self, *args):
            pass

    with HTTPServer(("127.0.0.1", 0), Elsewhere) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/manifest.c2pa"
        content = signed(picture(), remote_url=url, embedded=embedded)
        declared = read_photo(content).declared
        # Past the gate as well, which holds back most files.
        credentials(content + b"jumb c2pa", "image/jpeg")
        assert not asked.is_set()
        assert any("were not fetched" in mark.says for mark in declared.marks)
        if not embedded:
            with pytest.raises(c2pa.C2paError):
                c2pa.Reader("image/jpeg", io.BytesIO(content))
            assert asked.is_set(), "the test can't fail: the library did not ask either"
        server.shutdown()


def test_the_chain_leads_from_the_file_to_what_it_was_made_from():
    camera = signed(picture(), source_type="digitalCapture", generator="Camera")
    edited = signed(picture(), parent=camera, component=picture(), generator="Editor")
    chain = read_photo(signed(picture(), parent=edited, generator="Publisher")).declared.chain
    assert [(link.depth, link.relation, link.program) for link in chain] == [
        (0, "this file", "Publisher 3"),
        (1, "made from", "Editor 3"),
        (2, "made from", "Camera 3"),
        (2, "holds", None),
    ]
    assert chain[0].signature == "valid, by an unknown signer"
    assert chain[2].says == ("a camera took it",)
    assert chain[2].actions == ("created",)
    assert chain[2].signature.startswith("valid when it was put in")
    assert chain[3].signature == "nothing is signed"
    assert read_photo(picture()).declared.chain == ()
