"""The newest librdkafka, through confluent-kafka.

confluent.py topics BOOTSTRAP: prints the names of all topics.
confluent.py produce BOOTSTRAP TOPIC COUNT: so many records, the values are their numbers.
confluent.py subscribe BOOTSTRAP PATTERN COUNT: subscribes by the pattern, prints TOPIC VALUE of so many records.
confluent.py roundtrip BOOTSTRAP TOPIC VALUE,... WORD=VALUE...: writes the values, reads them in a group with the topic's name.
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


def secured(bootstrap, words):
    access = dict(word.split("=", 1) for word in words)
    names = {
        "protocol": "security.protocol",
        "ca": "ssl.ca.location",
        "certificate": "ssl.certificate.location",
        "key": "ssl.key.location",
        "mechanism": "sasl.mechanisms",
        "user": "sasl.username",
        "password": "sasl.password",
    }
    settings = {names[word]: value for word, value in access.items() if word in names}
    settings["bootstrap.servers"] = bootstrap
    if "token" in access:
        settings["oauth_cb"] = lambda _: (access["token"], time.time() + 3600)
    return settings


def roundtrip(bootstrap, topic, values, *words):
    values = values.split(",")
    failures = []
    producer = Producer({**secured(bootstrap, words), "enable.idempotence": True})
    for value in values:
        producer.produce(topic, value, on_delivery=lambda error, _: error and failures.append(error))
    if producer.flush(60) or failures:
        sys.exit("not all records were acknowledged: %r" % failures[:1])
    consumer = Consumer({**secured(bootstrap, words), "group.id": topic, "auto.offset.reset": "earliest"})
    consumer.subscribe([topic])
    for _ in values:
        record = consumer.poll(60)
        if record is None or record.error():
            sys.exit("a record did not come: %r" % (record and record.error()))
        print("read", record.value().decode())
    consumer.close()


COMMANDS = {"topics": topics, "produce": produce, "subscribe": subscribe, "roundtrip": roundtrip}
COMMANDS[sys.argv[1]](*sys.argv[2:])
