"""Delivered tables: from text, sheets and Parquet to values under headings."""
