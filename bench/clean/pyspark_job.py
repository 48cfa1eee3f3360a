"""The job with PySpark on local[2], in a JVM of its own with as much memory and as many partitions as the stack's Spark has."""
import glob
import os
import shutil
import time

from pyspark.sql import Observation, SparkSession, Window, functions as f

from job import clean_path, folder, numbers, order, parts, rejects_path, tell

begun = time.perf_counter()
spark = (
    SparkSession.builder.master('local[2]')
    .config('spark.driver.memory', '2g')
    .config('spark.driver.host', '127.0.0.1')
    .config('spark.driver.bindAddress', '127.0.0.1')
    .config('spark.ui.enabled', 'false')
    .config('spark.ui.showConsoleProgress', 'false')
    .config('spark.local.dir', folder)
    .config('spark.sql.shuffle.partitions', '4')
    .getOrCreate()
)
spark.sparkContext.setLogLevel('ERROR')
jvm = spark.sparkContext._gateway.proc.pid
started = time.perf_counter()


def text(source):
    return f.trim(f.col(f'`{source}`'))


def padded(source):
    return f.when(f.length(text(source)) < 5, f.lpad(text(source), 5, '0')).otherwise(text(source))


def number(source):
    return f.expr(f'try_cast(trim(`{source}`) AS DECIMAL(6, 4))')


def write(rows, lines, path, header):
    """Parts side by side, then joined in their order."""
    counted = Observation()
    rows.observe(counted, f.count(f.lit(1)).alias('n')).write.mode('overwrite').csv(lines, emptyValue='')
    with open(path, 'wb') as out:
        out.write(header)
        for part in sorted(glob.glob(os.path.join(lines, 'part-*'))):
            with open(part, 'rb') as source:
                shutil.copyfileobj(source, out)
    return counted.get['n']


out = spark.read.parquet(*parts).select(
    '_row',
    text('ST').alias('state'),
    text('COUNTY NAME').alias('county'),
    padded('COUNTY ID').alias('county_id'),
    padded('POSTAL CODE').alias('zip'),
    *[number(source).alias(column) for column, source in numbers.items()],
    *[((text(source) != '') & number(source).isNull()).alias(f'{column}_bad') for column, source in numbers.items()],
    (text(numbers['error_mae']) == '').alias('no_mae'),
)
bad = ~f.col('state').rlike('^[A-Z]{2}$') | (f.col('county') == '')
for column in numbers:
    bad = bad | f.col(f'{column}_bad')
bad = bad | ~f.coalesce(f.col('usage').between(0, 1), f.lit(True))
judged = out.withColumn('bad', bad)
first = f.row_number().over(Window.partitionBy('county_id', 'zip').orderBy('_row'))
kept = (
    judged.where(~f.col('bad') & (f.col('usage') > 0.01))
    .withColumn('error_mae', f.when(f.col('no_mae'), f.lit(0)).otherwise(f.col('error_mae')))
    .withColumn('nth', first)
    .where('nth = 1')
    .orderBy('_row')
    .select(*order)
)
clean = write(kept, os.path.join(folder, 'clean'), clean_path, (','.join(order) + '\n').encode())
rejected = write(judged.where('bad').orderBy('_row').select('_row'), os.path.join(folder, 'rejects'), rejects_path, b'')
seconds = time.perf_counter() - started
tell(seconds, clean, rejected, children=[jvm], startSeconds=started - begun)
spark.stop()
