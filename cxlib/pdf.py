"""Pages as PDF through WeasyPrint. HTML never depends on it."""

from __future__ import annotations

import importlib
from pathlib import Path


def pdf_fault() -> str:
    """Why no PDF can be made here, with the remedy; "" where one can."""
    try:
        importlib.import_module("weasyprint")
    except ImportError:
        return "no PDF: the package WeasyPrint is missing; pip install 'cxlib[pdf]'"
    except OSError:
        return "no PDF: WeasyPrint finds no Pango on this machine; on Debian: apt-get install libpangoft2-1.0-0"
    return ""


def write_pdf(page: Path, target: Path) -> None:
    """The page as a tagged PDF; what is not in the page itself is not fetched."""
    from weasyprint import HTML
    from weasyprint.urls import URLFetcher

    fetcher = URLFetcher(allowed_protocols=("data",))
    HTML(string=page.read_text(encoding="utf-8"), url_fetcher=fetcher).write_pdf(target, pdf_tags=True)
