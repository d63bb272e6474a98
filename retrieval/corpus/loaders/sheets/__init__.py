"""Spreadsheets (XLSX, ODS): every table of every sheet, row by row."""

from retrieval.corpus.loaders.sheets.loading import load_ods, load_xlsx

__all__ = ["load_ods", "load_xlsx"]
