"""What a PDF of ours says, read back without the library that wrote it."""

import base64
import re
import zlib


def words(pdf: bytes) -> list[str]:
    """The texts of each page: reportlab leaves ASCII readable in the streams of its embedded fonts."""
    assert pdf.startswith(b"%PDF-")
    assert pdf.rstrip().endswith(b"%%EOF")
    found = []
    for stream in re.findall(rb"ASCII85Decode /FlateDecode.*?stream\r?\n(.*?)endstream", pdf, re.DOTALL):
        content = zlib.decompress(base64.a85decode(stream.strip().removesuffix(b"~>")))
        if b" Tj" in content:
            texts = re.findall(rb"\((.*?)(?<!\\)\) Tj", content, re.DOTALL)
            found.append("\n".join(text.decode("latin-1").replace("\\(", "(").replace("\\)", ")") for text in texts))
    return found
