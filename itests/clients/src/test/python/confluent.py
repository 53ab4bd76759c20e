"""The newest librdkafka, through confluent-kafka.

confluent.py topics BOOTSTRAP: prints the names of all topics.
confluent.py produce BOOTSTRAP TOPIC COUNT: so many records, the values are their numbers.
confluent.py subscribe BOOTSTRAP PATTERN COUNT: subscribes by the pattern, prints TOPIC VALUE of so many records.
"""

import sys
import time

from confluent_kafka import Consumer, KafkaException, Producer
from confluent_kafka.admin import AdminClient


def topics(bootstrap):
    for topic in AdminClient({"bootstrap.servers": bootstrap}).list_topics(timeout=20).topics:
        print(topic)


def produce(bootstrap, topic, count):
    failures = []
    producer = Producer({"bootstrap.servers": bootstrap, "enable.idempotence": True})
    for number in range(int(count)):
        producer.produce(
            topic, str(number), on_delivery=lambda error, _: error and failures.append(error)
        )
    if producer.flush(60) or failures:
        sys.exit("not all records were acknowledged: %r" % failures[:1])


def subscribe(bootstrap, pattern, count):
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": "confluent",
            "auto.offset.reset": "earliest",
        }
    )
    consumer.subscribe([pattern])
    left = int(count)
    deadline = time.monotonic() + 60
    while left:
        if time.monotonic() > deadline:
            sys.exit("%d records did not come" % left)
        record = consumer.poll(1)
        if record is None:
            continue
        if record.error():
            raise KafkaException(record.error())
        print(record.topic(), record.value().decode())
        left -= 1
    consumer.close()


{"topics": topics, "produce": produce, "subscribe": subscribe}[sys.argv[1]](*sys.argv[2:])
