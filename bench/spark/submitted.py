"""Statements as our engine sends them, run by spark-submit. The clock runs from the first to the end of the last."""
import json
import sys
import time

from pyspark.sql import SparkSession

listed, clean, rejects = sys.argv[1:4]
statements = json.load(open(listed))
spark = SparkSession.builder.getOrCreate()
# The session is there, and has answered once.
spark.sql('SELECT version()').collect()
started = time.perf_counter()
for statement in statements:
    if statement['kind'] == 'view':
        spark.read.parquet(*statement['paths']).createOrReplaceTempView(statement['name'])
    elif statement['kind'] == 'ask':
        spark.sql(statement['text']).collect()
    else:
        spark.sql(statement['text'])
seconds = time.perf_counter() - started
counts = {'clean': spark.read.text(clean).count(), 'rejected': spark.read.text(rejects).count()}
print(json.dumps({'seconds': seconds, **counts}))
spark.stop()
