"""The job with pandas or polars: parsed parts in, clean.csv and rejects out."""
import sys
import time

from job import clean_path, numbers, order, parts, rejects_path, tell

name = sys.argv[1]
started = time.perf_counter()
if name == 'pandas':
    import pandas

    frame = pandas.concat([pandas.read_parquet(part) for part in parts], ignore_index=True)
    out = pandas.DataFrame({'_row': frame['_row']})
    out['state'] = frame['ST'].str.strip()
    out['county'] = frame['COUNTY NAME'].str.strip()
    out['county_id'] = frame['COUNTY ID'].str.strip().str.zfill(5)
    out['zip'] = frame['POSTAL CODE'].str.strip().str.zfill(5)
    bad = ~out['state'].str.fullmatch('[A-Z]{2}') | (out['county'] == '')
    for column, source in numbers.items():
        text = frame[source].str.strip()
        out[column] = pandas.to_numeric(text, errors='coerce')
        bad |= (text != '') & out[column].isna()
    bad |= (out['usage'] < 0) | (out['usage'] > 1)
    out['error_mae'] = out['error_mae'].where(frame[numbers['error_mae']].str.strip() != '', 0)
    out.loc[bad, ['_row']].to_csv(rejects_path, index=False)
    kept = out[~bad & (out['usage'] > 0.01)].drop_duplicates(['county_id', 'zip'], keep='first')
    kept[order].to_csv(clean_path, index=False)
    clean, rejected = len(kept), int(bad.sum())
else:
    import polars as pl

    frame = pl.scan_parquet(parts)
    text = lambda source: pl.col(source).str.strip_chars()
    values = [text(source).cast(pl.Float64, strict=False).alias(column) for column, source in numbers.items()]
    out = frame.select(
        '_row',
        text('ST').alias('state'),
        text('COUNTY NAME').alias('county'),
        text('COUNTY ID').str.zfill(5).alias('county_id'),
        text('POSTAL CODE').str.zfill(5).alias('zip'),
        *values,
        *[((text(source) != '') & text(source).cast(pl.Float64, strict=False).is_null()).alias(f'{column}_bad') for column, source in numbers.items()],
    ).collect()
    bad = (
        ~pl.col('state').str.contains('^[A-Z]{2}$')
        | (pl.col('county') == '')
        | pl.any_horizontal([f'{column}_bad' for column in numbers])
        | ~pl.col('usage').fill_null(0).is_between(0, 1)
    )
    out = out.with_columns(bad.alias('bad'), pl.col('error_mae').fill_null(0))
    rejects = out.filter('bad').select('_row')
    rejects.write_csv(rejects_path)
    kept = out.filter(~pl.col('bad') & (pl.col('usage') > 0.01)).unique(['county_id', 'zip'], keep='first', maintain_order=True)
    kept.select(order).write_csv(clean_path)
    clean, rejected = kept.height, rejects.height
seconds = time.perf_counter() - started
tell(seconds, clean, rejected)
