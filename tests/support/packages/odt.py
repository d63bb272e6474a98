"""Makes OpenDocument texts of what stands in their bodies."""

from __future__ import annotations

import io
import zipfile

_OASIS = "urn:oasis:names:tc:opendocument:xmlns:"
_SPACES = {
    "office": f"{_OASIS}office:1.0",
    "text": f"{_OASIS}text:1.0",
    "table": f"{_OASIS}table:1.0",
    "style": f"{_OASIS}style:1.0",
    "draw": f"{_OASIS}drawing:1.0",
    "chart": f"{_OASIS}chart:1.0",
    "svg": f"{_OASIS}svg-compatible:1.0",
    "xlink": "http://www.w3.org/1999/xlink",
    "dc": "http://purl.org/dc/elements/1.1/",
}
SPACES = " ".join(f'xmlns:{prefix}="{address}"' for prefix, address in _SPACES.items())
TEXT = "application/vnd.oasis.opendocument.text"


def text_style(name: str, properties: str, *, family: str = "text", parent: str = "") -> str:
    above = f' style:parent-style-name="{parent}"' if parent else ""
    return (
        f'<style:style style:name="{name}" style:family="{family}"{above}>'
        f"<style:text-properties {properties}/></style:style>"
    )


def odt(
    body: str, *, styles: str = "", common: str = "", parts: dict[str, str] | None = None, manifest: str = ""
) -> bytes:
    """A package with `body`, automatic and common styles, and further parts."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("mimetype", TEXT)
        package.writestr(
            "content.xml",
            f"<office:document-content {SPACES}><office:automatic-styles>{styles}</office:automatic-styles>"
            f"<office:body><office:text>{body}</office:text></office:body></office:document-content>",
        )
        package.writestr(
            "styles.xml",
            f"<office:document-styles {SPACES}><office:styles>{common}</office:styles></office:document-styles>",
        )
        package.writestr(
            "META-INF/manifest.xml",
            f'<manifest:manifest xmlns:manifest="{_OASIS}manifest:1.0">{manifest}</manifest:manifest>',
        )
        for name, data in (parts or {}).items():
            package.writestr(name, data)
    return out.getvalue()
