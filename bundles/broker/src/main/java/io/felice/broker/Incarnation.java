package io.felice.broker;

import java.nio.charset.StandardCharsets;
import java.util.UUID;

/** Which run of the process this is: the same for every bundle that is updated in it, another after a restart. */
final class Incarnation {
    private Incarnation() {}

    static UUID of(int brokerId, String dataDirectory) {
        ProcessHandle process = ProcessHandle.current();
        String started = process.info().startInstant().map(Object::toString).orElse("");
        String text = brokerId + "|" + dataDirectory + "|" + process.pid() + "|" + started;
        return UUID.nameUUIDFromBytes(text.getBytes(StandardCharsets.UTF_8));
    }
}
