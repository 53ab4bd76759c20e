"""Kafka's Python client.

kafka_python.py produce BOOTSTRAP TOPIC CODEC: one value a line on standard input goes to partition 0.
kafka_python.py consume BOOTSTRAP COUNT TOPIC=FILE...: so many values of each topic, each as a line of its file.
kafka_python.py roundtrip BOOTSTRAP TOPIC VALUE,... WORD=VALUE...: writes the values, reads them in a group with the topic's name.
"""

import sys

from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.oauth.abstract import AbstractTokenProvider


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


def consume(bootstrap, count, *outputs):
    consumer = KafkaConsumer(
        bootstrap_servers=bootstrap,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        max_poll_records=5000,
        consumer_timeout_ms=60000,
    )
    files = {topic: open(file, "wb", 1 << 20) for topic, file in (output.split("=") for output in outputs)}
    left = {topic: int(count) for topic in files}
    consumer.assign([TopicPartition(topic, 0) for topic in files])
    consumer.seek_to_beginning()
    for record in consumer:
        if left[record.topic] > 0:
            files[record.topic].write(record.value + b"\n")
            left[record.topic] -= 1
            if not any(left.values()):
                break
    consumer.close()
    for file in files.values():
        file.close()
    if any(left.values()):
        sys.exit("records did not come: %r" % left)


class ReadyToken(AbstractTokenProvider):
    def __init__(self, token):
        super().__init__()
        self.text = token

    def token(self):
        return self.text


def secured(bootstrap, words):
    access = dict(word.split("=", 1) for word in words)
    names = {
        "protocol": "security_protocol",
        "ca": "ssl_cafile",
        "certificate": "ssl_certfile",
        "key": "ssl_keyfile",
        "mechanism": "sasl_mechanism",
        "user": "sasl_plain_username",
        "password": "sasl_plain_password",
    }
    settings = {names[word]: value for word, value in access.items() if word in names}
    settings["bootstrap_servers"] = bootstrap
    if "token" in access:
        settings["sasl_oauth_token_provider"] = ReadyToken(access["token"])
    return settings


def roundtrip(bootstrap, topic, values, *words):
    values = values.split(",")
    producer = KafkaProducer(acks="all", **secured(bootstrap, words))
    for future in [producer.send(topic, value.encode()) for value in values]:
        future.get(60)
    producer.close()
    consumer = KafkaConsumer(
        topic, group_id=topic, auto_offset_reset="earliest", consumer_timeout_ms=60000, **secured(bootstrap, words)
    )
    for _ in values:
        print("read", next(consumer).value.decode())
    consumer.close()


if __name__ == "__main__":
    {"produce": produce, "consume": consume, "roundtrip": roundtrip}[sys.argv[1]](*sys.argv[2:])
