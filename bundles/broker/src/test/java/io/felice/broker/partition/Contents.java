package io.felice.broker.partition;

import io.felice.api.storage.Records;
import java.nio.ByteBuffer;
import java.util.List;

/** What a test reads from a log. */
public final class Contents {
    private Contents() {}

    /** The bytes of records, also of those in a file. */
    public static List<ByteBuffer> buffersOf(Records records) {
        return LogScan.buffersOf(records);
    }
}
