"""Kafka to Parquet on S3 with PySpark Structured Streaming, as far as the topic went when it began."""
import json
import os
import sys
import time

from pyspark.sql import SparkSession, functions as f

topic, folder, checkpoint, columns = sys.argv[1:5]
begun = time.perf_counter()
spark = SparkSession.builder.getOrCreate()
spark.sparkContext.setLogLevel('ERROR')
started = time.perf_counter()
schema = ', '.join(f'`{name}` {kind}' for name, kind in json.loads(columns))
records = (
    spark.readStream.format('kafka')
    .option('kafka.bootstrap.servers', os.environ['KAFKA_BROKERS'])
    .option('subscribe', topic)
    .option('startingOffsets', 'earliest')
    .load()
)
rows = (
    # An end marker has no key.
    records.where('key is not null')
    .select(f.col('key').cast('string').alias('_record'), f.from_json(f.col('value').cast('string'), schema).alias('v'))
    .select('_record', 'v.*', f.lit('2026-01-01').alias('date'), f.col('v.usage_band').alias('type'))
)
query = (
    rows.writeStream.format('parquet')
    .option('path', folder)
    .option('checkpointLocation', checkpoint)
    .option('compression', 'zstd')
    .partitionBy('date', 'type')
    .trigger(availableNow=True)
    .start()
)
query.awaitTermination()
seconds = time.perf_counter() - started
count = spark.read.parquet(folder).count()
print(json.dumps({'seconds': seconds, 'rows': count, 'startSeconds': started - begun}))
spark.stop()
