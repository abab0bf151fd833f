import io

import pytest
from PIL import Image

from exiface.apps.standard_input import read_input, read_paths
from exiface.errors import UserError


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF", "GIF", "BMP"])
def test_the_bytes_of_a_picture_are_one_picture(form):
    content = io.BytesIO()
    Image.new("RGB", (9, 9)).save(content, form)
    assert read_input(io.BytesIO(content.getvalue())) == content.getvalue()
    with pytest.raises(UserError, match="a picture came"):
        list(read_paths(io.BytesIO(content.getvalue())))


@pytest.mark.parametrize(
    ("given", "paths"),
    [
        (b"a.jpg", ["a.jpg"]),
        (b"a.jpg\nb.jpg\n", ["a.jpg", "b.jpg"]),
        (b"a\n\nfolder of a long name/b c.jpg\r\nd\n", ["a", "folder of a long name/b c.jpg", "d"]),
        (b"caf\xe9.jpg\n", ["caf\udce9.jpg"]),
    ],
)
def test_anything_else_is_paths(given, paths):
    assert list(read_input(io.BytesIO(given))) == paths == list(read_paths(io.BytesIO(given)))


@pytest.mark.parametrize("given", [b"", b"\n\n", b"   "])
def test_nothing_is_an_error_with_a_sentence(given):
    with pytest.raises(UserError, match="nothing came on standard input"):
        read_input(io.BytesIO(given))
