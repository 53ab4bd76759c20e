package io.felice.protocol;

/** The keys of Kafka's APIs that clients use. */
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

    private Apis() {}
}
