package io.felice.api;

import java.util.Objects;

/**
 * A header of a record (KIP-82). A record may have several of one name.
 *
 * @param value may be null; neither side may change it
 */
public record RecordHeader(String name, byte[] value) {
    public RecordHeader {
        Objects.requireNonNull(name, "name");
    }
}
