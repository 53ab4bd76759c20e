package io.felice.coordinator.listener;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.felice.api.ErrorCode;
import io.felice.api.TopicPartition;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * What the members of a consumer group tell each other, and the assignment of partitions by range. Stateless.
 *
 * <pre>
 *  subscription   version int16, topics array of string, user data bytes
 *  assignment     version int16, topics array of (topic string, partitions array of int32), user data bytes
 *  array          length int32, elements
 *  string         length int16, UTF-8
 *  bytes          length int32 or -1, bytes
 * </pre>
 *
 * <p>Source: Kafka protocol guide, "Group Membership API", consumer protocol version 0. Bytes of other members have later
 * versions, whose beginning is the same.
 */
final class ConsumerAssignments {
    static final String PROTOCOL_TYPE = "consumer";
    static final String RANGE = "range";

    private ConsumerAssignments() {}

    static byte[] subscription(Collection<String> topics) {
        return written(out -> {
            out.writeInt(topics.size());
            for (String topic : topics) {
                write(out, topic);
            }
        });
    }

    static byte[] assignment(Collection<TopicPartition> partitions) {
        Map<String, List<Integer>> byTopic = new TreeMap<>();
        partitions.forEach(partition -> byTopic.computeIfAbsent(partition.topic(), topic -> new ArrayList<>())
                .add(partition.partition()));
        return written(out -> {
            out.writeInt(byTopic.size());
            for (Map.Entry<String, List<Integer>> topic : byTopic.entrySet()) {
                write(out, topic.getKey());
                out.writeInt(topic.getValue().size());
                for (int partition : topic.getValue()) {
                    out.writeInt(partition);
                }
            }
        });
    }

    private interface Content {
        void writeTo(DataOutputStream out) throws IOException;
    }

    private static byte[] written(Content content) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (DataOutputStream out = new DataOutputStream(bytes)) {
            out.writeShort(0);
            content.writeTo(out);
            out.writeInt(-1);
        } catch (IOException impossible) {
            throw new IllegalStateException("bytes cannot be written to memory", impossible);
        }
        return bytes.toByteArray();
    }

    private static void write(DataOutputStream out, String text) throws IOException {
        byte[] bytes = text.getBytes(UTF_8);
        out.writeShort(bytes.length);
        out.write(bytes);
    }

    /** @throws io.felice.api.FeliceException INCONSISTENT_GROUP_PROTOCOL if the bytes are no subscription */
    static Set<String> topics(byte[] subscription) {
        Set<String> topics = new TreeSet<>();
        read(subscription, in -> {
            for (int count = count(in, Short.BYTES); count > 0; count--) {
                topics.add(text(in));
            }
        });
        return topics;
    }

    /**
     * @param assignment may be empty: no partitions
     * @throws io.felice.api.FeliceException INCONSISTENT_GROUP_PROTOCOL if the bytes are no assignment
     */
    static List<TopicPartition> partitions(byte[] assignment) {
        List<TopicPartition> partitions = new ArrayList<>();
        if (assignment.length > 0) {
            read(assignment, in -> {
                for (int topics = count(in, Short.BYTES + Integer.BYTES); topics > 0; topics--) {
                    String topic = text(in);
                    for (int count = count(in, Integer.BYTES); count > 0; count--) {
                        partitions.add(new TopicPartition(topic, in.getInt()));
                    }
                }
            });
        }
        return partitions;
    }

    private interface Parser {
        void parse(ByteBuffer in);
    }

    private static void read(byte[] bytes, Parser parser) {
        ByteBuffer in = ByteBuffer.wrap(bytes);
        try {
            in.getShort();
            parser.parse(in);
        } catch (BufferUnderflowException | IllegalArgumentException malformed) {
            throw ErrorCode.INCONSISTENT_GROUP_PROTOCOL.because(
                    "Another member of the group does not speak the protocol of consumers");
        }
    }

    private static int count(ByteBuffer in, int leastBytes) {
        int count = in.getInt();
        if (count > in.remaining() / leastBytes) {
            throw new IllegalArgumentException(count + " elements do not fit");
        }
        return count;
    }

    private static String text(ByteBuffer in) {
        int length = in.getShort();
        if (length < 0 || length > in.remaining()) {
            throw new IllegalArgumentException("a text of " + length + " bytes does not fit");
        }
        String text = new String(in.array(), in.arrayOffset() + in.position(), length, UTF_8);
        in.position(in.position() + length);
        return text;
    }

    /**
     * Kafka's range assignment: of each topic, the members that want it, in the order of their ids, get neighbouring
     * partitions, the first ones one more if they do not divide evenly.
     *
     * @param subscriptions the topics by member id
     * @param partitionCounts of the topics that exist
     */
    static Map<String, List<TopicPartition>> range(
            Map<String, Set<String>> subscriptions, Map<String, Integer> partitionCounts) {
        Map<String, List<TopicPartition>> assigned = new HashMap<>();
        subscriptions.keySet().forEach(member -> assigned.put(member, new ArrayList<>()));
        partitionCounts.forEach((topic, count) -> {
            List<String> members = subscriptions.entrySet().stream()
                    .filter(member -> member.getValue().contains(topic))
                    .map(Map.Entry::getKey)
                    .sorted()
                    .toList();
            int next = 0;
            for (int i = 0; i < members.size(); i++) {
                int share = count / members.size() + (i < count % members.size() ? 1 : 0);
                for (int end = next + share; next < end; next++) {
                    assigned.get(members.get(i)).add(new TopicPartition(topic, next));
                }
            }
        });
        return assigned;
    }
}
