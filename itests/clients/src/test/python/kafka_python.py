"""kafka_python.py produce|consume BOOTSTRAP TOPIC CODEC|COUNT: one value a line on standard input or output, partition 0."""

import sys

from kafka import KafkaConsumer, KafkaProducer, TopicPartition


def produce(bootstrap, topic, codec):
    producer = KafkaProducer(
        bootstrap_servers=bootstrap,
        acks="all",
        compression_type=None if codec == "none" else codec,
        linger_ms=5,
        batch_size=65536,
        max_in_flight_requests_per_connection=1,
        retries=10,
    )
    failures = []
    for line in sys.stdin.buffer:
        future = producer.send(topic, line.rstrip(b"\n"), partition=0)
        future.add_errback(failures.append)
    producer.flush()
    producer.close()
    if failures:
        sys.exit("%d records failed, the first with %r" % (len(failures), failures[0]))


def consume(bootstrap, topic, count):
    consumer = KafkaConsumer(
        bootstrap_servers=bootstrap,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        max_poll_records=5000,
        consumer_timeout_ms=60000,
    )
    consumer.assign([TopicPartition(topic, 0)])
    consumer.seek_to_beginning()
    left = int(count)
    write = sys.stdout.buffer.write
    for record in consumer:
        write(record.value)
        write(b"\n")
        left -= 1
        if left == 0:
            break
    consumer.close()
    if left > 0:
        sys.exit("%d records did not come" % left)


if __name__ == "__main__":
    {"produce": produce, "consume": consume}[sys.argv[1]](*sys.argv[2:])
