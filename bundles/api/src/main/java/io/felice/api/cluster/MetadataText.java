package io.felice.api.cluster;

import io.felice.api.ErrorCode;
import io.felice.api.config.ConfigResource;
import io.felice.api.security.Acl;
import io.felice.api.security.Operation;
import io.felice.api.security.QuotaEntity;
import io.felice.api.security.ResourceType;
import io.felice.api.security.ScramCredential;
import io.felice.api.security.ScramMechanism;
import io.felice.api.storage.EngineTrait;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Encodes a metadata record as one readable line, and decodes it. Stores keep records in this form.
 *
 * <pre>
 * partition-changed/1 topic-id=Wjr4… partition=0 replicas=1 isr=1 adding= removing= leader=1 leader-epoch=0 …
 * └ type          └ version of the fields      └ values are percent-encoded; a field that is null is left out
 * </pre>
 *
 * A line that begins with {@code ?} is optional: a reader that does not know its type or version skips the line. At any
 * other unknown type or version a reader must stop, because it would miss a decision of the controller. A reader
 * ignores unknown fields. So a new field needs no new version if the record is still right for readers without the
 * field. Topic ids are written as in Kafka's tools.
 *
 * <p>Stateless; any thread.
 */
public final class MetadataText {
    private static final char OPTIONAL = '?';
    private static final String HEX = "0123456789ABCDEF";
    private static final String PLAIN = "-._";

    private static final String CREDENTIAL = "credential-set/1";

    private static final Map<String, Function<Fields, MetadataRecord>> READERS = Map.ofEntries(
            Map.entry("cluster-named/1", fields -> new MetadataRecord.ClusterNamed(fields.text("id"))),
            Map.entry("broker-registered/1", MetadataText::brokerRegistered),
            Map.entry(
                    "broker-gone/1",
                    fields -> new MetadataRecord.BrokerGone(fields.integer("id"), fields.number("epoch"))),
            Map.entry(
                    "broker-leaving/1",
                    fields -> new MetadataRecord.BrokerLeaving(fields.integer("id"), fields.number("epoch"))),
            Map.entry("broker-removed/1", fields -> new MetadataRecord.BrokerRemoved(fields.integer("id"))),
            Map.entry(
                    "broker-refused/1",
                    fields -> new MetadataRecord.BrokerRefused(
                            fields.integer("id"),
                            UUID.fromString(fields.required("incarnation")),
                            fields.text("reason"))),
            Map.entry(
                    "topic-created/1",
                    fields -> new MetadataRecord.TopicCreated(
                            fields.id("topic-id"), fields.text("name"), fields.text("engine"))),
            Map.entry("topic-deleted/1", fields -> new MetadataRecord.TopicDeleted(fields.id("topic-id"))),
            Map.entry("partition-changed/1", MetadataText::partitionChanged),
            Map.entry("config-set/1", MetadataText::configSet),
            Map.entry(CREDENTIAL, MetadataText::credentialSet),
            Map.entry("acl-added/1", fields -> new MetadataRecord.AclAdded(acl(fields))),
            Map.entry("acl-removed/1", fields -> new MetadataRecord.AclRemoved(acl(fields))),
            Map.entry("quota-set/1", MetadataText::quotaSet),
            Map.entry(
                    "producer-ids-allocated/1",
                    fields -> new MetadataRecord.ProducerIdsAllocated(
                            fields.integer("broker"), fields.number("first-id"), fields.integer("count"))));

    private MetadataText() {}

    /** The line for a record, in printable ASCII and without a line end. */
    public static String encode(MetadataRecord record) {
        if (record instanceof MetadataRecord.PartitionChanged partition) {
            return encode(partition);
        } else if (record instanceof MetadataRecord.TopicCreated topic) {
            return line("topic-created/1")
                    .id("topic-id", topic.topicId())
                    .text("name", topic.topic())
                    .text("engine", topic.engine())
                    .done();
        } else if (record instanceof MetadataRecord.TopicDeleted topic) {
            return line("topic-deleted/1").id("topic-id", topic.topicId()).done();
        } else if (record instanceof MetadataRecord.ConfigSet config) {
            return line("config-set/1")
                    .text("type", config.resource().type().name())
                    .text("name", config.resource().name())
                    .text("key", config.key())
                    .text("value", config.value())
                    .done();
        } else if (record instanceof MetadataRecord.BrokerRegistered broker) {
            return encode(broker);
        } else if (record instanceof MetadataRecord.BrokerGone broker) {
            return line("broker-gone/1")
                    .raw("id", broker.brokerId())
                    .raw("epoch", broker.epoch())
                    .done();
        } else if (record instanceof MetadataRecord.BrokerLeaving broker) {
            return line(OPTIONAL + "broker-leaving/1")
                    .raw("id", broker.brokerId())
                    .raw("epoch", broker.epoch())
                    .done();
        } else if (record instanceof MetadataRecord.BrokerRemoved broker) {
            return line(OPTIONAL + "broker-removed/1")
                    .raw("id", broker.brokerId())
                    .done();
        } else if (record instanceof MetadataRecord.BrokerRefused broker) {
            return line(OPTIONAL + "broker-refused/1")
                    .raw("id", broker.brokerId())
                    .raw("incarnation", broker.incarnation())
                    .text("reason", broker.reason())
                    .done();
        } else if (record instanceof MetadataRecord.ProducerIdsAllocated ids) {
            return line("producer-ids-allocated/1")
                    .raw("broker", ids.brokerId())
                    .raw("first-id", ids.firstId())
                    .raw("count", ids.count())
                    .done();
        } else if (record instanceof MetadataRecord.ClusterNamed cluster) {
            return line("cluster-named/1").text("id", cluster.clusterId()).done();
        }
        return encodeSecurity(record);
    }

    private static String encodeSecurity(MetadataRecord record) {
        if (record instanceof MetadataRecord.CredentialSet set) {
            Line line = line(CREDENTIAL)
                    .text("user", set.user())
                    .raw("mechanism", set.mechanism().name());
            ScramCredential credential = set.credential();
            return credential == null
                    ? line.done()
                    : line.bytes("salt", credential.salt())
                            .bytes("stored-key", credential.storedKey())
                            .bytes("server-key", credential.serverKey())
                            .raw("iterations", credential.iterations())
                            .done();
        } else if (record instanceof MetadataRecord.AclAdded added) {
            return encode("acl-added/1", added.acl());
        } else if (record instanceof MetadataRecord.AclRemoved removed) {
            return encode("acl-removed/1", removed.acl());
        } else if (record instanceof MetadataRecord.QuotaSet set) {
            return line("quota-set/1")
                    .text("user", set.entity().user())
                    .text("client-id", set.entity().clientId())
                    .text("ip", set.entity().ip())
                    .text("key", set.key())
                    .text("value", set.value() == null ? null : set.value().toString())
                    .done();
        }
        throw new IllegalStateException("no text for " + record);
    }

    private static String encode(String type, Acl acl) {
        return line(type)
                .raw("type", acl.type().name())
                .text("name", acl.name())
                .raw("pattern", acl.pattern().name())
                .text("principal", acl.principal())
                .text("host", acl.host())
                .raw("operation", acl.operation().name())
                .raw("allows", acl.allows())
                .done();
    }

    /**
     * The record of a line; empty if the line is optional and its type or version is unknown.
     *
     * @throws io.felice.api.FeliceException UNSUPPORTED_VERSION with a sentence for the operator if the line is not
     *     optional and its type or version is unknown, CORRUPT_MESSAGE if the line has no such form
     */
    public static Optional<MetadataRecord> decode(String line) {
        boolean optional = !line.isEmpty() && line.charAt(0) == OPTIONAL;
        String[] words = (optional ? line.substring(1) : line).split(" ");
        Function<Fields, MetadataRecord> reader = READERS.get(words[0]);
        if (reader == null) {
            if (optional) {
                return Optional.empty();
            }
            throw unknown(line, words[0]);
        }
        try {
            return Optional.of(reader.apply(new Fields(words)));
        } catch (IllegalArgumentException | NullPointerException malformed) {
            throw words[0].equals(CREDENTIAL)
                    ? ErrorCode.CORRUPT_MESSAGE.because("Not a metadata record: a credential that cannot be read")
                    : ErrorCode.CORRUPT_MESSAGE.because("Not a metadata record: " + line, malformed);
        }
    }

    private static MetadataRecord credentialSet(Fields fields) {
        ScramCredential credential = fields.values.containsKey("salt")
                ? new ScramCredential(
                        fields.bytes("salt"),
                        fields.bytes("stored-key"),
                        fields.bytes("server-key"),
                        fields.integer("iterations"))
                : null;
        return new MetadataRecord.CredentialSet(
                fields.text("user"), ScramMechanism.valueOf(fields.required("mechanism")), credential);
    }

    private static Acl acl(Fields fields) {
        return new Acl(
                ResourceType.valueOf(fields.required("type")),
                fields.text("name"),
                Acl.Pattern.valueOf(fields.required("pattern")),
                fields.text("principal"),
                fields.text("host"),
                Operation.valueOf(fields.required("operation")),
                Boolean.parseBoolean(fields.required("allows")));
    }

    private static MetadataRecord quotaSet(Fields fields) {
        String value = fields.text("value");
        return new MetadataRecord.QuotaSet(
                new QuotaEntity(fields.text("user"), fields.text("client-id"), fields.text("ip")),
                fields.text("key"),
                value == null ? null : Double.valueOf(value));
    }

    private static RuntimeException unknown(String line, String type) {
        if (!type.matches("[a-z][a-z0-9-]*/[0-9]+")) {
            return ErrorCode.CORRUPT_MESSAGE.because("Not a metadata record: " + line);
        }
        return ErrorCode.UNSUPPORTED_VERSION.because("The metadata log holds a record of type " + type
                + ", which this version of Felice does not know and must not skip; upgrade this node.");
    }

    private static String encode(MetadataRecord.BrokerRegistered registered) {
        BrokerRegistration broker = registered.broker();
        return line("broker-registered/1")
                .raw("id", broker.brokerId())
                .raw("epoch", registered.epoch())
                .raw("incarnation", broker.incarnation())
                .raw("store", broker.storeId())
                .raw("endpoints", endpoints(broker.endpoints()))
                .text("rack", broker.rack())
                .raw("engines", engines(broker.engines()))
                .raw("last-end", broker.lastEnd().name())
                .rawIfAny("engine-versions", versions(broker.engineVersions()))
                .done();
    }

    private static MetadataRecord brokerRegistered(Fields fields) {
        BrokerRegistration broker = new BrokerRegistration(
                fields.integer("id"),
                UUID.fromString(fields.required("incarnation")),
                UUID.fromString(fields.required("store")),
                endpoints(fields.required("endpoints")),
                fields.text("rack"),
                engines(fields.values.getOrDefault("engines", "")),
                lastEnd(fields.values.getOrDefault("last-end", "KILLED")),
                versions(fields.values.getOrDefault("engine-versions", "")));
        return new MetadataRecord.BrokerRegistered(broker, fields.number("epoch"));
    }

    /** The worst for an end that this version does not know. */
    private static BrokerRegistration.LastEnd lastEnd(String name) {
        return Arrays.stream(BrokerRegistration.LastEnd.values())
                .filter(end -> end.name().equals(name))
                .findFirst()
                .orElse(BrokerRegistration.LastEnd.POWER_LOST);
    }

    private static String encode(MetadataRecord.PartitionChanged changed) {
        PartitionState state = changed.state();
        Line line = line("partition-changed/1")
                .id("topic-id", changed.topicId())
                .raw("partition", changed.partition())
                .numbers("replicas", state.replicas())
                .numbers("isr", state.isr());
        if (!state.eligible().isEmpty()) {
            line.numbers("eligible", state.eligible());
        }
        return line.numbers("adding", state.adding())
                .numbers("removing", state.removing())
                .raw("leader", state.leader())
                .raw("leader-epoch", state.leaderEpoch())
                .raw("partition-epoch", state.partitionEpoch())
                .raw("recovering", state.recovering())
                .done();
    }

    private static MetadataRecord partitionChanged(Fields fields) {
        PartitionState state = new PartitionState(
                fields.numbers("replicas"),
                fields.numbers("isr"),
                fields.numbersIfAny("eligible"),
                fields.numbers("adding"),
                fields.numbers("removing"),
                fields.integer("leader"),
                fields.integer("leader-epoch"),
                fields.integer("partition-epoch"),
                Boolean.parseBoolean(fields.required("recovering")));
        return new MetadataRecord.PartitionChanged(fields.id("topic-id"), fields.integer("partition"), state);
    }

    private static MetadataRecord configSet(Fields fields) {
        ConfigResource resource =
                new ConfigResource(ConfigResource.Type.valueOf(fields.required("type")), fields.text("name"));
        return new MetadataRecord.ConfigSet(resource, fields.text("key"), fields.text("value"));
    }

    private static String endpoints(List<BrokerRegistration.Endpoint> endpoints) {
        return endpoints.stream()
                .map(e -> escape(e.listener()) + ":" + escape(e.securityProtocol()) + ":" + escape(e.host()) + ":"
                        + e.port())
                .collect(Collectors.joining(","));
    }

    private static List<BrokerRegistration.Endpoint> endpoints(String text) {
        List<BrokerRegistration.Endpoint> endpoints = new ArrayList<>();
        for (String endpoint : items(text)) {
            String[] parts = endpoint.split(":", -1);
            if (parts.length != 4) {
                throw new IllegalArgumentException(endpoint + " is not listener:protocol:host:port");
            }
            endpoints.add(new BrokerRegistration.Endpoint(
                    unescape(parts[0]), unescape(parts[1]), unescape(parts[2]), Integer.parseInt(parts[3])));
        }
        return endpoints;
    }

    /** {@code log:SURVIVES_KILL:REPLACES_RANGES,memory:REPLACES_RANGES}, in a fixed order: equal registrations are equal lines. */
    private static String engines(Map<String, Set<EngineTrait>> engines) {
        return new TreeMap<>(engines)
                .entrySet().stream()
                        .map(engine -> Stream.concat(
                                        Stream.of(escape(engine.getKey())),
                                        engine.getValue().stream()
                                                .map(Enum::name)
                                                .sorted())
                                .collect(Collectors.joining(":")))
                        .collect(Collectors.joining(","));
    }

    private static Map<String, Set<EngineTrait>> engines(String text) {
        Map<String, Set<EngineTrait>> engines = new TreeMap<>();
        for (String engine : items(text)) {
            String[] parts = engine.split(":", -1);
            engines.put(
                    unescape(parts[0]),
                    Arrays.stream(parts).skip(1).flatMap(MetadataText::trait).collect(Collectors.toUnmodifiableSet()));
        }
        return engines;
    }

    /** {@code log:1.2.0,memory:1.2.0}, in a fixed order. */
    private static String versions(Map<String, String> versions) {
        return new TreeMap<>(versions)
                .entrySet().stream()
                        .map(engine -> escape(engine.getKey()) + ":" + escape(engine.getValue()))
                        .collect(Collectors.joining(","));
    }

    private static Map<String, String> versions(String text) {
        Map<String, String> versions = new TreeMap<>();
        for (String engine : items(text)) {
            String[] parts = engine.split(":", -1);
            if (parts.length != 2) {
                throw new IllegalArgumentException(engine + " is not engine:version");
            }
            versions.put(unescape(parts[0]), unescape(parts[1]));
        }
        return versions;
    }

    /** Nothing for a trait that this version does not know. */
    private static Stream<EngineTrait> trait(String name) {
        return Arrays.stream(EngineTrait.values()).filter(trait -> trait.name().equals(name));
    }

    private static String[] items(String text) {
        return text.isEmpty() ? new String[0] : text.split(",", -1);
    }

    private static String escape(String text) {
        StringBuilder escaped = new StringBuilder(text.length());
        for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
            char c = (char) (b & 0xff);
            if (c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || PLAIN.indexOf(c) >= 0) {
                escaped.append(c);
            } else {
                escaped.append('%').append(HEX.charAt(c >> 4)).append(HEX.charAt(c & 15));
            }
        }
        return escaped.toString();
    }

    private static String unescape(String text) {
        if (text.indexOf('%') < 0) {
            return text;
        }
        ByteBuffer bytes = ByteBuffer.allocate(text.length());
        for (int i = 0; i < text.length(); i++) {
            if (text.charAt(i) != '%') {
                bytes.put((byte) text.charAt(i));
            } else if (i + 2 < text.length()) {
                bytes.put((byte) Integer.parseInt(text, i + 1, i + 3, 16));
                i += 2;
            } else {
                throw new IllegalArgumentException("an escape is cut off in " + text);
            }
        }
        return new String(bytes.array(), 0, bytes.position(), StandardCharsets.UTF_8);
    }

    private static Line line(String type) {
        return new Line(type);
    }

    /** Builds a line. */
    private static final class Line {
        private final StringBuilder text;

        Line(String type) {
            text = new StringBuilder(160).append(type);
        }

        Line raw(String name, Object value) {
            text.append(' ').append(name).append('=').append(value);
            return this;
        }

        Line rawIfAny(String name, String value) {
            return value.isEmpty() ? this : raw(name, value);
        }

        Line text(String name, String value) {
            return value == null ? this : raw(name, escape(value));
        }

        Line id(String name, UUID id) {
            byte[] bytes = ByteBuffer.allocate(16)
                    .putLong(id.getMostSignificantBits())
                    .putLong(id.getLeastSignificantBits())
                    .array();
            return bytes(name, bytes);
        }

        Line bytes(String name, byte[] bytes) {
            return raw(name, Base64.getUrlEncoder().withoutPadding().encodeToString(bytes));
        }

        Line numbers(String name, List<Integer> numbers) {
            return raw(name, numbers.stream().map(Object::toString).collect(Collectors.joining(",")));
        }

        String done() {
            return text.toString();
        }
    }

    /** The fields of a line by name. The values are still percent-encoded. */
    private static final class Fields {
        private final Map<String, String> values = new LinkedHashMap<>();

        /** @param words the words of a line; the first word, the type, is ignored */
        Fields(String[] words) {
            for (int i = 1; i < words.length; i++) {
                int equals = words[i].indexOf('=');
                if (equals < 0) {
                    throw new IllegalArgumentException(words[i] + " is not name=value");
                }
                values.put(words[i].substring(0, equals), words[i].substring(equals + 1));
            }
        }

        String required(String name) {
            String value = values.get(name);
            if (value == null) {
                throw new IllegalArgumentException("no " + name);
            }
            return value;
        }

        String text(String name) {
            String value = values.get(name);
            return value == null ? null : unescape(value);
        }

        int integer(String name) {
            return Integer.parseInt(required(name));
        }

        long number(String name) {
            return Long.parseLong(required(name));
        }

        UUID id(String name) {
            ByteBuffer bytes = ByteBuffer.wrap(bytes(name));
            if (bytes.remaining() != 16) {
                throw new IllegalArgumentException(name + " is not 16 bytes");
            }
            return new UUID(bytes.getLong(), bytes.getLong());
        }

        byte[] bytes(String name) {
            return Base64.getUrlDecoder().decode(required(name));
        }

        /** Empty if the line has no such field. */
        List<Integer> numbersIfAny(String name) {
            return values.containsKey(name) ? numbers(name) : List.of();
        }

        List<Integer> numbers(String name) {
            List<Integer> numbers = new ArrayList<>();
            for (String item : items(required(name))) {
                numbers.add(Integer.valueOf(item));
            }
            return numbers;
        }
    }
}
