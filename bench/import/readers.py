"""Reads a CSV as text with pandas or polars; nothing is stored."""
import json
import resource
import sys
import time

name, path = sys.argv[1], sys.argv[2]
if name == 'pandas':
    import pandas

    started = time.perf_counter()
    rows = len(pandas.read_csv(path, dtype=str, keep_default_na=False))
else:
    import polars

    started = time.perf_counter()
    rows = polars.read_csv(path, infer_schema=False).height
seconds = time.perf_counter() - started
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps({'seconds': seconds, 'rows': rows, 'peakMb': round(peak / 1000)}))
