package io.felice.api.security;

import static io.felice.api.security.Operation.ALTER;
import static io.felice.api.security.Operation.ALTER_CONFIGS;
import static io.felice.api.security.Operation.CLUSTER_ACTION;
import static io.felice.api.security.Operation.CREATE;
import static io.felice.api.security.Operation.CREATE_TOKENS;
import static io.felice.api.security.Operation.DELETE;
import static io.felice.api.security.Operation.DESCRIBE;
import static io.felice.api.security.Operation.DESCRIBE_CONFIGS;
import static io.felice.api.security.Operation.DESCRIBE_TOKENS;
import static io.felice.api.security.Operation.IDEMPOTENT_WRITE;
import static io.felice.api.security.Operation.READ;
import static io.felice.api.security.Operation.WRITE;

import java.util.Set;

/** What rights are about: {@code ResourceType} of Kafka, with the numbers on the wire and the operations of each. */
public enum ResourceType {
    TOPIC(2, Set.of(READ, WRITE, CREATE, DESCRIBE, DELETE, ALTER, DESCRIBE_CONFIGS, ALTER_CONFIGS)),
    GROUP(3, Set.of(READ, DESCRIBE, DELETE, DESCRIBE_CONFIGS, ALTER_CONFIGS)),
    CLUSTER(4, Set.of(CREATE, CLUSTER_ACTION, DESCRIBE_CONFIGS, ALTER_CONFIGS, IDEMPOTENT_WRITE, ALTER, DESCRIBE)),
    TRANSACTIONAL_ID(5, Set.of(DESCRIBE, WRITE)),
    DELEGATION_TOKEN(6, Set.of(DESCRIBE)),
    USER(7, Set.of(CREATE_TOKENS, DESCRIBE_TOKENS));

    /** The name of the one resource of type CLUSTER. */
    public static final String CLUSTER_NAME = "kafka-cluster";

    private final byte code;
    private final Set<Operation> operations;

    ResourceType(int code, Set<Operation> operations) {
        this.code = (byte) code;
        this.operations = operations;
    }

    /** The number on the wire. */
    public byte code() {
        return code;
    }

    /** The operations that there are on such a resource, without ALL. */
    public Set<Operation> operations() {
        return operations;
    }
}
