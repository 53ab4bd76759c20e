package io.felice.protocol;

import static io.felice.api.ErrorCode.COORDINATOR_LOAD_IN_PROGRESS;
import static io.felice.api.ErrorCode.COORDINATOR_NOT_AVAILABLE;
import static io.felice.api.ErrorCode.LEADER_NOT_AVAILABLE;
import static io.felice.api.ErrorCode.NETWORK_EXCEPTION;
import static io.felice.api.ErrorCode.NOT_CONTROLLER;
import static io.felice.api.ErrorCode.NOT_LEADER_OR_FOLLOWER;
import static io.felice.api.ErrorCode.REQUEST_TIMED_OUT;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * The Kafka APIs that this node serves, with one row for each. A new API needs a row here and a handler class with
 * {@link Serves}. All other code treats the APIs alike or reads the row. Source of keys and versions: Kafka protocol
 * guide, "API Keys".
 */
public final class Apis {
    public static final short PRODUCE = 0;
    public static final short FETCH = 1;
    public static final short LIST_OFFSETS = 2;
    public static final short METADATA = 3;
    public static final short OFFSET_COMMIT = 8;
    public static final short OFFSET_FETCH = 9;
    public static final short FIND_COORDINATOR = 10;
    public static final short JOIN_GROUP = 11;
    public static final short HEARTBEAT = 12;
    public static final short LEAVE_GROUP = 13;
    public static final short SYNC_GROUP = 14;
    public static final short DESCRIBE_GROUPS = 15;
    public static final short LIST_GROUPS = 16;
    public static final short SASL_HANDSHAKE = 17;
    public static final short API_VERSIONS = 18;
    public static final short CREATE_TOPICS = 19;
    public static final short DELETE_TOPICS = 20;
    public static final short DELETE_RECORDS = 21;
    public static final short INIT_PRODUCER_ID = 22;
    public static final short OFFSET_FOR_LEADER_EPOCH = 23;
    public static final short ADD_PARTITIONS_TO_TXN = 24;
    public static final short ADD_OFFSETS_TO_TXN = 25;
    public static final short END_TXN = 26;
    public static final short WRITE_TXN_MARKERS = 27;
    public static final short TXN_OFFSET_COMMIT = 28;
    public static final short DESCRIBE_ACLS = 29;
    public static final short CREATE_ACLS = 30;
    public static final short DELETE_ACLS = 31;
    public static final short DESCRIBE_CONFIGS = 32;
    public static final short ALTER_CONFIGS = 33;
    public static final short ALTER_REPLICA_LOG_DIRS = 34;
    public static final short DESCRIBE_LOG_DIRS = 35;
    public static final short SASL_AUTHENTICATE = 36;
    public static final short CREATE_PARTITIONS = 37;
    public static final short CREATE_DELEGATION_TOKEN = 38;
    public static final short RENEW_DELEGATION_TOKEN = 39;
    public static final short EXPIRE_DELEGATION_TOKEN = 40;
    public static final short DESCRIBE_DELEGATION_TOKEN = 41;
    public static final short DELETE_GROUPS = 42;
    public static final short ELECT_LEADERS = 43;
    public static final short INCREMENTAL_ALTER_CONFIGS = 44;
    public static final short ALTER_PARTITION_REASSIGNMENTS = 45;
    public static final short LIST_PARTITION_REASSIGNMENTS = 46;
    public static final short OFFSET_DELETE = 47;
    public static final short DESCRIBE_CLIENT_QUOTAS = 48;
    public static final short ALTER_CLIENT_QUOTAS = 49;
    public static final short DESCRIBE_USER_SCRAM_CREDENTIALS = 50;
    public static final short ALTER_USER_SCRAM_CREDENTIALS = 51;
    public static final short UPDATE_FEATURES = 57;
    public static final short ENVELOPE = 58;
    public static final short DESCRIBE_CLUSTER = 60;
    public static final short DESCRIBE_PRODUCERS = 61;
    public static final short UNREGISTER_BROKER = 64;
    public static final short DESCRIBE_TRANSACTIONS = 65;
    public static final short LIST_TRANSACTIONS = 66;
    public static final short CONSUMER_GROUP_HEARTBEAT = 68;
    public static final short CONSUMER_GROUP_DESCRIBE = 69;
    public static final short GET_TELEMETRY_SUBSCRIPTIONS = 71;
    public static final short PUSH_TELEMETRY = 72;
    public static final short LIST_CONFIG_RESOURCES = 74;
    public static final short DESCRIBE_TOPIC_PARTITIONS = 75;

    private static final List<Api> ALL = List.of(
            // Versions 0 to 2 are advertised and not served: librdkafka uses compression only if the broker advertises
            // Produce v0 (KAFKA-18659).
            Api.of(PRODUCE, 3, 13, NOT_LEADER_OR_FOLLOWER).advertisedSince(0).keepingBytes(),
            Api.of(FETCH, 4, 18, NOT_LEADER_OR_FOLLOWER),
            Api.of(LIST_OFFSETS, 1, 11, NOT_LEADER_OR_FOLLOWER),
            Api.of(METADATA, 0, 13, LEADER_NOT_AVAILABLE),
            Api.of(OFFSET_COMMIT, 2, 10, COORDINATOR_NOT_AVAILABLE),
            Api.of(OFFSET_FETCH, 1, 10, COORDINATOR_NOT_AVAILABLE),
            Api.of(FIND_COORDINATOR, 0, 6, COORDINATOR_NOT_AVAILABLE),
            Api.of(JOIN_GROUP, 0, 9, COORDINATOR_NOT_AVAILABLE),
            Api.of(HEARTBEAT, 0, 4, COORDINATOR_NOT_AVAILABLE),
            Api.of(LEAVE_GROUP, 0, 5, COORDINATOR_NOT_AVAILABLE),
            Api.of(SYNC_GROUP, 0, 5, COORDINATOR_NOT_AVAILABLE),
            Api.of(DESCRIBE_GROUPS, 0, 6, COORDINATOR_NOT_AVAILABLE),
            Api.of(LIST_GROUPS, 0, 5, COORDINATOR_NOT_AVAILABLE),
            // A client takes every error in the answer to a login request as final, so its connection is closed
            // instead.
            Api.of(SASL_HANDSHAKE, 0, 1, NETWORK_EXCEPTION).allowedBeforeLogin(),
            Api.of(API_VERSIONS, 0, 5, REQUEST_TIMED_OUT).allowedBeforeLogin(),
            Api.of(CREATE_TOPICS, 2, 7, NOT_CONTROLLER).outlivingItsHandler(),
            Api.of(DELETE_TOPICS, 1, 6, NOT_CONTROLLER).outlivingItsHandler(),
            Api.of(DELETE_RECORDS, 0, 2, NOT_LEADER_OR_FOLLOWER),
            // Not COORDINATOR_NOT_AVAILABLE: with that error the Java producer looks for the coordinator of its
            // transactional id, but a producer without transactions has none.
            Api.of(INIT_PRODUCER_ID, 0, 5, COORDINATOR_LOAD_IN_PROGRESS),
            Api.of(OFFSET_FOR_LEADER_EPOCH, 2, 4, NOT_LEADER_OR_FOLLOWER),
            Api.of(DESCRIBE_ACLS, 1, 3, REQUEST_TIMED_OUT),
            Api.of(CREATE_ACLS, 1, 3, REQUEST_TIMED_OUT).outlivingItsHandler(),
            Api.of(DELETE_ACLS, 1, 3, REQUEST_TIMED_OUT).outlivingItsHandler(),
            Api.of(DESCRIBE_CONFIGS, 1, 4, REQUEST_TIMED_OUT).outlivingItsHandler(),
            Api.of(ALTER_CONFIGS, 0, 2, REQUEST_TIMED_OUT).outlivingItsHandler(),
            Api.of(ALTER_REPLICA_LOG_DIRS, 1, 2, REQUEST_TIMED_OUT).outlivingItsHandler(),
            Api.of(DESCRIBE_LOG_DIRS, 1, 5, REQUEST_TIMED_OUT).outlivingItsHandler(),
            Api.of(SASL_AUTHENTICATE, 0, 2, NETWORK_EXCEPTION).allowedBeforeLogin(),
            Api.of(CREATE_PARTITIONS, 0, 3, NOT_CONTROLLER).outlivingItsHandler(),
            Api.of(DELETE_GROUPS, 0, 3, COORDINATOR_NOT_AVAILABLE).outlivingItsHandler(),
            Api.of(ELECT_LEADERS, 0, 2, NOT_CONTROLLER).outlivingItsHandler(),
            Api.of(INCREMENTAL_ALTER_CONFIGS, 0, 1, REQUEST_TIMED_OUT).outlivingItsHandler(),
            Api.of(ALTER_PARTITION_REASSIGNMENTS, 0, 1, NOT_CONTROLLER).outlivingItsHandler(),
            Api.of(LIST_PARTITION_REASSIGNMENTS, 0, 0, NOT_CONTROLLER),
            Api.of(OFFSET_DELETE, 0, 0, COORDINATOR_NOT_AVAILABLE),
            Api.of(DESCRIBE_CLIENT_QUOTAS, 0, 1, REQUEST_TIMED_OUT),
            Api.of(ALTER_CLIENT_QUOTAS, 0, 1, REQUEST_TIMED_OUT).outlivingItsHandler(),
            Api.of(DESCRIBE_USER_SCRAM_CREDENTIALS, 0, 0, REQUEST_TIMED_OUT),
            Api.of(ALTER_USER_SCRAM_CREDENTIALS, 0, 0, NOT_CONTROLLER).outlivingItsHandler(),
            Api.of(UPDATE_FEATURES, 0, 2, REQUEST_TIMED_OUT),
            // A broker sends what the controller of another broker has to decide. The sender knows every error of it.
            Api.of(ENVELOPE, 0, 0, NOT_CONTROLLER)
                    .notExpected()
                    .keepingBytes()
                    .outlivingItsHandler()
                    .ofBrokersOnly(),
            Api.of(DESCRIBE_CLUSTER, 0, 2, REQUEST_TIMED_OUT),
            Api.of(DESCRIBE_PRODUCERS, 0, 0, NOT_LEADER_OR_FOLLOWER),
            Api.of(UNREGISTER_BROKER, 0, 0, REQUEST_TIMED_OUT),
            // Only a plugin has handlers for these APIs.
            Api.of(GET_TELEMETRY_SUBSCRIPTIONS, 0, 0, REQUEST_TIMED_OUT).notExpected(),
            Api.of(PUSH_TELEMETRY, 0, 0, REQUEST_TIMED_OUT).notExpected().keepingBytes(),
            Api.of(LIST_CONFIG_RESOURCES, 0, 1, REQUEST_TIMED_OUT),
            Api.of(DESCRIBE_TOPIC_PARTITIONS, 0, 0, LEADER_NOT_AVAILABLE));

    private static final Map<Short, Api> BY_KEY =
            ALL.stream().collect(Collectors.toUnmodifiableMap(Api::key, Function.identity()));

    private Apis() {}

    /** All rows, in the order of Kafka's keys. */
    public static List<Api> all() {
        return ALL;
    }

    /** The row of an API; empty if this node does not serve the API. */
    public static Optional<Api> find(short key) {
        return Optional.ofNullable(BY_KEY.get(key));
    }
}
